/** `acra-enclave data`: encrypts the rows that a table had before it was protected, and proves that none is left (decision 21). */
import { Command } from 'commander';
import { addCommands } from '../load-commands.ts';

export function dataCommand(words: readonly string[]): Promise<Command> {
  const data = new Command('data').description(
    'Encrypt the rows that a table already has, while applications use it, and prove that none is left.',
  );
  return addCommands(
    data,
    {
      prepare: async () => (await import('./data/prepare.ts')).prepareCommand(),
      encrypt: async () => (await import('./data/encrypt.ts')).encryptCommand(),
      verify: async () => (await import('./data/verify.ts')).verifyCommand(),
    },
    words,
  );
}
