/** Commands whose exit code 1 is an answer ("no"): a wrong use of them must not look like it. */
import type { Command } from 'commander';

const WRONG_USE = 1;
/** As diff(1) and grep(1) end when there is no answer. */
export const NO_ANSWER = 2;

const answering = new WeakSet<Command>();

export function keepOneForAnswers(command: Command): Command {
  answering.add(command);
  return command.exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : NO_ANSWER));
}

export function usageExitCode(command: Command): number {
  return answering.has(command) ? NO_ANSWER : WRONG_USE;
}
