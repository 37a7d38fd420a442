/**
 * `acra-enclave keys …`: makes keys, adds to them and puts others in their place, each command in its own file. Where an enclave makes them, they
 * ask it (docs/keys.md); where they lie in the image, they change the measured folder.
 */
import { Command } from 'commander';
import type { CommandTable } from '../load-commands.ts';
import { addCommands } from '../load-commands.ts';
import { PARENT_KEYS_COMMANDS } from './parent-keys.ts';

const COMMANDS: CommandTable = {
  new: async () => (await import('./keys/new.ts')).newCommand(),
  ceremony: async () => (await import('./keys/ceremony.ts')).ceremonyCommand(),
  'add-client': async () => (await import('./keys/add-client.ts')).addClientCommand(),
  rotate: async (words) => (await import('./keys/rotate.ts')).rotateCommand(words),
  settle: async () => (await import('./keys/settle.ts')).settleCommand(),
  seal: async () => (await import('./keys/seal.ts')).sealCommand(),
  'forget-old': async () => (await import('./keys/forget-old.ts')).forgetOldCommand(),
  reshare: async () => (await import('./keys/reshare.ts')).reshareCommand(),
  load: async () => (await import('./keys/load.ts')).loadCommand(),
  approve: async () => (await import('./keys/approve.ts')).approveCommand(),
  ...PARENT_KEYS_COMMANDS,
  'client-name': async () => (await import('./keys/client-name.ts')).clientNameCommand(),
  ids: async () => (await import('./keys/ids.ts')).idsCommand(),
  revocation: async () => (await import('./keys/revocation.ts')).revocationCommand(),
  verifier: async () => (await import('./keys/verifier.ts')).verifierCommand(),
};

export function keysCommand(words: readonly string[]): Promise<Command> {
  return addCommands(
    new Command('keys').description('Make keys, add to them, and put others in their place.'),
    COMMANDS,
    words,
  );
}
