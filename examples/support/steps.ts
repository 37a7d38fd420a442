/** What an example shows, step by step. Every step checks what it tells: one that does not hold ends the example with exit code 1. */
import { bold, dim, green, printLine } from '../../cli/output.ts';

class StepFailed extends Error {}

export class Steps {
  #count = 0;

  title(text: string): void {
    this.#count += 1;
    printLine(`\n${bold(`${this.#count}. ${text}`)}`);
  }

  show(text: string): void {
    printLine(dim(`   ${text}`));
  }

  /** @throws StepFailed */
  check(holds: boolean, claim: string, found: unknown): void {
    if (!holds) throw new StepFailed(`step ${this.#count} does not hold: ${claim}; found ${JSON.stringify(found)}`);
    printLine(`   ${green('✓')} ${claim}`);
  }
}
