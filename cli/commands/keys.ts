/** `acra-enclave keys …`: makes keys, adds to them and puts others in their place, each command in its own file. */
import { Command } from 'commander';
import type { CommandTable } from '../load-commands.ts';
import { addCommands } from '../load-commands.ts';

const COMMANDS: CommandTable = {
  new: async () => (await import('./keys/new.ts')).newCommand(),
  'add-client': async () => (await import('./keys/add-client.ts')).addClientCommand(),
  'client-name': async () => (await import('./keys/client-name.ts')).clientNameCommand(),
  'forget-old': async () => (await import('./keys/forget-old.ts')).forgetOldCommand(),
  ids: async () => (await import('./keys/ids.ts')).idsCommand(),
  revocation: async () => (await import('./keys/revocation.ts')).revocationCommand(),
  rotate: async (words) => (await import('./keys/rotate.ts')).rotateCommand(words),
  seal: async () => (await import('./keys/seal.ts')).sealCommand(),
  verifier: async () => (await import('./keys/verifier.ts')).verifierCommand(),
};

export function keysCommand(words: readonly string[]): Promise<Command> {
  return addCommands(
    new Command('keys').description('Make keys, add to them, and put others in their place.'),
    COMMANDS,
    words,
  );
}
