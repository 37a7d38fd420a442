/** `acra-enclave keys rotate database`: a second password for a user of the database, which nobody knows. */
import type { Command } from 'commander';
import { databaseUserCommand } from '../../../keys/simple-command.ts';

const HELP = `
Three steps, and no session ends: this one, in which the enclave makes a password beside the one that it uses; then whoever administers the
database gives it the statement ALTER ROLE … that is printed (the enclave logs in with whichever of the two is taken); then
\`keys settle USER\`, by which the enclave forgets the older one.`;

export const rotateDatabaseCommand = (): Command =>
  databaseUserCommand((user) => ({ kind: 'rotate-database', user }), {
    name: 'database',
    description:
      'Have the running enclave make a second password for a database user; both log in until `keys settle`.',
    help: HELP,
  });
