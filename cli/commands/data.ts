/**
 * `acra-enclave data`: encrypts the rows that a table had before it was protected (decision 21), or that are under keys from before a
 * rotation (decision 26), and proves that none is left.
 */
import { Command } from 'commander';
import { addCommands } from '../load-commands.ts';

export function dataCommand(words: readonly string[]): Promise<Command> {
  const data = new Command('data').description(
    'Encrypt the rows that a table already has, or encrypt them anew, while applications use it, and prove that none is left.',
  );
  return addCommands(
    data,
    {
      prepare: async () => (await import('./data/prepare.ts')).prepareCommand(),
      encrypt: async () => (await import('./data/encrypt.ts')).encryptCommand(),
      reencrypt: async () => (await import('./data/reencrypt.ts')).reencryptCommand(),
      verify: async () => (await import('./data/verify.ts')).verifyCommand(),
    },
    words,
  );
}
