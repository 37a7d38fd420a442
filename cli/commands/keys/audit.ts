/** `acra-enclave keys audit …`: the log of key operations that host-proxy keeps. */
import { Command } from 'commander';
import type { CommandTable } from '../../load-commands.ts';
import { addCommands } from '../../load-commands.ts';

const COMMANDS: CommandTable = {
  verify: async () => (await import('./audit/verify.ts')).auditVerifyCommand(),
};

export function auditCommand(words: readonly string[]): Promise<Command> {
  return addCommands(new Command('audit').description('Examine the log of key operations.'), COMMANDS, words);
}
