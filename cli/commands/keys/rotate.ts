/** `acra-enclave keys rotate …`: other keys in the place of those that there are, each kind in its own file. */
import { Command } from 'commander';
import type { CommandTable } from '../../load-commands.ts';
import { addCommands } from '../../load-commands.ts';

const COMMANDS: CommandTable = {
  master: async () => (await import('./rotate/master.ts')).rotateMasterCommand(),
  kms: async () => (await import('./rotate/kms.ts')).rotateKmsCommand(),
  data: async () => (await import('./rotate/data.ts')).rotateDataCommand(),
  database: async () => (await import('./rotate/database.ts')).rotateDatabaseCommand(),
  tls: async () => (await import('./rotate/tls.ts')).rotateTlsCommand(),
};

export function rotateCommand(words: readonly string[]): Promise<Command> {
  return addCommands(
    new Command('rotate').description('Put new keys in the place of those that there are.'),
    COMMANDS,
    words,
  );
}
