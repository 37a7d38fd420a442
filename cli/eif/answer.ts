/** How `eif verify` and `eif diff` end, as diff(1) does: 0 is yes, and a program must tell "no" from "cannot say". */
import type { Command } from 'commander';
import { printError } from '../output.ts';
import { keepOneForAnswers, NO_ANSWER } from '../usage-exit.ts';

const NO = 1;

/** Sets the exit code by what `ask` answers; an error is printed, and is no answer unless `isNo` says so. */
export async function answer(
  ask: () => Promise<boolean>,
  { json }: { readonly json?: boolean },
  isNo: (error: unknown) => boolean = () => false,
): Promise<void> {
  try {
    if (!(await ask())) process.exitCode = NO;
  } catch (error) {
    await printError(error, json === true);
    process.exitCode = isNo(error) ? NO : NO_ANSWER;
  }
}

/** Wrong usage, a file that cannot be read, whatever else left the question without an answer must not look like the answer 1. */
export function answering(command: Command, yes: string, no: string): Command {
  return keepOneForAnswers(command).addHelpText(
    'after',
    `\nExit code: 0 ${yes}, 1 ${no}, ${NO_ANSWER} no answer (wrong usage, a file that cannot be read).`,
  );
}
