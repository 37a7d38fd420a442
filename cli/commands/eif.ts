/** `acra-enclave eif …`: enclave images, each command in its own file. */
import { Command } from 'commander';
import { keepHeapSmall } from '../eif/small-heap.ts';
import type { CommandTable } from '../load-commands.ts';
import { addCommands } from '../load-commands.ts';

const COMMANDS: CommandTable = {
  build: async () => {
    keepHeapSmall();
    return (await import('./eif/build.ts')).buildCommand();
  },
  programs: async () => {
    keepHeapSmall();
    return (await import('./eif/programs.ts')).programsCommand();
  },
  describe: async () => (await import('./eif/describe.ts')).describeCommand(),
  verify: async () => (await import('./eif/verify.ts')).verifyCommand(),
  extract: async () => (await import('./eif/extract.ts')).extractCommand(),
  diff: async () => (await import('./eif/diff.ts')).diffCommand(),
  sign: async () => (await import('./eif/sign.ts')).signCommand(),
};

export function eifCommand(words: readonly string[]): Promise<Command> {
  return addCommands(new Command('eif').description('Build, read, measure and sign enclave images.'), COMMANDS, words);
}
