/** `acra-enclave keys settle`: ends the change of a database user’s password. */
import type { Command } from 'commander';
import { databaseUserCommand } from '../../keys/simple-command.ts';

const HELP = `
Only once the database has the new one: with the older one forgotten the enclave logs in with no other (see \`keys rotate database\`).`;

export const settleCommand = (): Command =>
  databaseUserCommand((user) => ({ kind: 'settle-database', user }), {
    name: 'settle',
    description: 'Have the running enclave forget the older one of two passwords of a database user.',
    help: HELP,
  });
