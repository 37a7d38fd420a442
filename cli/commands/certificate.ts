/** `acra-enclave certificate …`: the certificate of a TLS key that the enclave makes itself, each command in its own file. */
import { Command } from 'commander';
import type { CommandTable } from '../load-commands.ts';
import { addCommands } from '../load-commands.ts';

const COMMANDS: CommandTable = {
  request: async () => (await import('./certificate/request.ts')).requestCommand(),
  sign: async () => (await import('./certificate/sign.ts')).signCommand(),
  install: async () => (await import('./certificate/install.ts')).installCommand(),
};

export function certificateCommand(words: readonly string[]): Promise<Command> {
  const description = 'Sign and install the certificate of a TLS key that was made in the enclave.';
  return addCommands(new Command('certificate').description(description), COMMANDS, words);
}

/** On a parent instance no CA signs: the parent is the adversary. */
export function parentCertificateCommand(words: readonly string[]): Promise<Command> {
  const { sign: _, ...others } = COMMANDS;
  const description = 'Fetch the request for a certificate of a TLS key that was made in the enclave, and install it.';
  return addCommands(new Command('certificate').description(description), others, words);
}
