/** `acra-enclave policy …`: the key policy and IAM policy that tie a master key to an enclave, each command in its own file. */
import { Command } from 'commander';
import type { CommandTable } from '../load-commands.ts';
import { addCommands } from '../load-commands.ts';

const COMMANDS: CommandTable = {
  print: async () => (await import('./policy/print.ts')).printCommand(),
  check: async () => (await import('./policy/check.ts')).checkCommand(),
  simulate: async () => (await import('./policy/simulate.ts')).simulateCommand(),
};

export function policyCommand(words: readonly string[]): Promise<Command> {
  return addCommands(
    new Command('policy').description('Make, check and try the KMS policies that tie a master key to an enclave.'),
    COMMANDS,
    words,
  );
}
