/** `acra-enclave keys …`: makes keys and adds to them, each command in its own file. */
import { Command } from 'commander';
import type { CommandTable } from '../load-commands.ts';
import { addCommands } from '../load-commands.ts';

const COMMANDS: CommandTable = {
  new: async () => (await import('./keys/new.ts')).newCommand(),
  'add-client': async () => (await import('./keys/add-client.ts')).addClientCommand(),
  'client-name': async () => (await import('./keys/client-name.ts')).clientNameCommand(),
  revocation: async () => (await import('./keys/revocation.ts')).revocationCommand(),
  seal: async () => (await import('./keys/seal.ts')).sealCommand(),
  verifier: async () => (await import('./keys/verifier.ts')).verifierCommand(),
};

export function keysCommand(words: readonly string[]): Promise<Command> {
  return addCommands(new Command('keys').description('Make keys, and add to them.'), COMMANDS, words);
}
