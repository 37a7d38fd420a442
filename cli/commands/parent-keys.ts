/**
 * `acra-enclave keys …` on a parent instance: what asks the daemon, or reads its files. What makes keys, or signs for them, does not belong there,
 * and is not installed.
 */
import { Command } from 'commander';
import type { CommandTable } from '../load-commands.ts';
import { addCommands } from '../load-commands.ts';

export const PARENT_KEYS_COMMANDS: CommandTable = {
  list: async () => (await import('./keys/list.ts')).listCommand(),
  status: async () => (await import('./keys/status.ts')).statusCommand(),
  submit: async () => (await import('./keys/submit.ts')).submitCommand(),
  audit: async (words) => (await import('./keys/audit.ts')).auditCommand(words),
};

export function parentKeysCommand(words: readonly string[]): Promise<Command> {
  return addCommands(
    new Command('keys').description('See the keys that this instance keeps, and hand in requests for changes.'),
    PARENT_KEYS_COMMANDS,
    words,
  );
}
