/**
 * `acra-enclave keys …`: makes keys, adds to them and puts others in their place, each command in its own file. Where an enclave makes them, they
 * ask it (docs/keys.md); where they lie in the image, they change the measured folder.
 */
import { Command } from 'commander';
import type { CommandTable } from '../load-commands.ts';
import { addCommands } from '../load-commands.ts';

/** What asks the daemon, or reads its files, and makes no keys: the parent has these. */
const OF_PARENT: CommandTable = {
  list: async () => (await import('./keys/list.ts')).listCommand(),
  status: async () => (await import('./keys/status.ts')).statusCommand(),
  submit: async () => (await import('./keys/submit.ts')).submitCommand(),
  audit: async (words) => (await import('./keys/audit.ts')).auditCommand(words),
};

const COMMANDS: CommandTable = {
  new: async () => (await import('./keys/new.ts')).newCommand(),
  ceremony: async () => (await import('./keys/ceremony.ts')).ceremonyCommand(),
  'add-client': async () => (await import('./keys/add-client.ts')).addClientCommand(),
  rotate: async (words) => (await import('./keys/rotate.ts')).rotateCommand(words),
  settle: async () => (await import('./keys/settle.ts')).settleCommand(),
  seal: async () => (await import('./keys/seal.ts')).sealCommand(),
  'forget-old': async () => (await import('./keys/forget-old.ts')).forgetOldCommand(),
  approve: async () => (await import('./keys/approve.ts')).approveCommand(),
  ...OF_PARENT,
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

/** Without what makes keys, or signs for them: neither belongs on a parent instance. */
export function parentKeysCommand(words: readonly string[]): Promise<Command> {
  return addCommands(new Command('keys').description('See the keys that this instance keeps.'), OF_PARENT, words);
}
