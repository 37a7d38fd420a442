/** `acra-enclave keys rotate database`: a second password for a user of the database, which nobody knows. */
import { Command } from 'commander';
import { requireDatabaseUser } from '../../../keys/database-user.ts';
import { type RequestOptions, withRequestOptions } from '../../../keys/enclave-options.ts';
import { runSimpleChange } from '../../../keys/run-change.ts';

async function run(user: string, options: RequestOptions): Promise<void> {
  requireDatabaseUser(options.enclave, user);
  await runSimpleChange(options, { kind: 'rotate-database', user });
}

const HELP = `
Three steps, and no session ends: this one, in which the enclave makes a password beside the one that it uses; then whoever administers the
database gives it the statement ALTER ROLE … that is printed (the enclave logs in with whichever of the two is taken); then
\`keys settle USER\`, by which the enclave forgets the older one.`;

export function rotateDatabaseCommand(): Command {
  const command = new Command('database')
    .description(
      'Have the running enclave make a second password for a database user; both log in until `keys settle`.',
    )
    .argument('<user>', 'a user of `database.users` in enclave.yaml')
    .requiredOption('-e, --enclave <folder>', 'the measured folder of the enclave');
  return withRequestOptions(command).option('--json', 'print JSON').addHelpText('after', HELP).action(run);
}
