/** `acra-enclave measurements …`: signs published measurements and reads them, each command in its own file. */
import { Command } from 'commander';
import type { CommandTable } from '../load-commands.ts';
import { addCommands } from '../load-commands.ts';

const COMMANDS: CommandTable = {
  sign: async () => (await import('./measurements/sign.ts')).signCommand(),
  verify: async () => (await import('./measurements/verify.ts')).verifyCommand(),
  show: async () => (await import('./measurements/show.ts')).showCommand(),
};

export function measurementsCommand(words: readonly string[]): Promise<Command> {
  const group = new Command('measurements').description(
    'Sign the measurements of an image for others, and verify them.',
  );
  return addCommands(group, COMMANDS, words);
}
