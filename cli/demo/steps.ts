/** What a demo or an example shows, step by step. Every step checks what it tells: one that does not hold ends it with an error. */
import { CliError } from '../errors.ts';
import { bold, dim, green, printLine } from '../output.ts';

export class Steps {
  readonly signal: AbortSignal;
  readonly #logs: string;
  #count = 0;

  /** @param logs the folder with those of all parts */
  constructor(logs: string, signal: AbortSignal) {
    this.signal = signal;
    this.#logs = logs;
  }

  title(text: string): void {
    this.signal.throwIfAborted();
    this.#count += 1;
    printLine(`\n${bold(`${this.#count}. ${text}`)}`);
  }

  show(text: string): void {
    printLine(dim(`   ${text}`));
  }

  /** @throws CliError CLI_DEMO_STEP */
  check(holds: boolean, claim: string, found: unknown): void {
    if (!holds) {
      throw new CliError('CLI_DEMO_STEP', `step ${this.#count} does not hold: ${claim}`, {
        found: JSON.stringify(found),
        action: `Read the logs in ${this.#logs}.`,
      });
    }
    printLine(`   ${green('✓')} ${claim}`);
  }
}
