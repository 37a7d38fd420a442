/** `acra-enclave keys settle`: ends the change of a database user’s password. */
import { Command } from 'commander';
import { requireDatabaseUser } from '../../keys/database-user.ts';
import { type RequestOptions, withRequestOptions } from '../../keys/enclave-options.ts';
import { runSimpleChange } from '../../keys/run-change.ts';

async function run(user: string, options: RequestOptions): Promise<void> {
  requireDatabaseUser(options.enclave, user);
  await runSimpleChange(options, { kind: 'settle-database', user });
}

const HELP = `
Only once the database has the new one: with the older one forgotten the enclave logs in with no other (see \`keys rotate database\`).`;

export function settleCommand(): Command {
  const command = new Command('settle')
    .description('Have the running enclave forget the older one of two passwords of a database user.')
    .argument('<user>', 'a user of `database.users` in enclave.yaml')
    .requiredOption('-e, --enclave <folder>', 'the measured folder of the enclave');
  return withRequestOptions(command).option('--json', 'print JSON').addHelpText('after', HELP).action(run);
}
