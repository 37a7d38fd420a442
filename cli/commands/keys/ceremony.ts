/** `acra-enclave keys ceremony`: has a running enclave make its first keys, which nobody ever sees. */
import { Command } from 'commander';
import { loginOf } from '../../../config/user-secrets.ts';
import { readCeremonyInput } from '../../../keys/ceremony-input.ts';
import { type RequestOptions, withRequestOptions } from '../../keys/enclave-options.ts';
import { runChange } from '../../keys/run-change.ts';
import { sealEach } from '../../keys/sealed-secrets.ts';
import { requireParentKeys } from '../../keys/source.ts';
import { keysContext } from '../../keys-context.ts';

interface CeremonyOptions extends RequestOptions {
  readonly client: readonly string[];
  readonly databaseUser?: readonly string[];
}

async function ceremony(options: CeremonyOptions): Promise<void> {
  const context = keysContext(options.enclave);
  requireParentKeys(context, 'keys new');
  const login = loginOf(context.config.database);
  using input = readCeremonyInput(context, {
    clients: options.client,
    databaseUsers: { secret: options.databaseUser ?? [], nextSecret: [] },
    demand: login === 'verifier' ? 'all' : 'given',
  });
  const clients = input.clients.map(({ clientId }) => clientId);
  await runChange(options, context, {
    kind: 'ceremony',
    certificates: options.client,
    plan: async (seal) => ({ kind: 'ceremony', clients, secrets: await sealEach(input.databaseSecrets, seal) }),
  });
}

const HELP = `
For an enclave whose enclave.yaml has \`keys.source: parent\` and \`keys.ceremony: allowed\`, and which waits in boot phase key-set. It makes the master
key, the keystore and, with \`database.login: certificate\`, the passwords of all users that are not given here; whoever administers the
database gives it the statements ALTER ROLE … that are printed. Nothing of it is ever seen outside an enclave.

Afterwards set \`keys.ceremony: refused\`, and build the image again: an enclave that may hold a ceremony makes new keys for whoever
brings it none, and operators' signatures are all that is in the way. docs/keys.md has the whole life of a key.

With --key one operator who suffices signs, and all is done in one go. Where several must sign: --out, then \`keys approve\` by each,
then \`keys submit\`. Never copy an operator's key to the parent instance: forward its socket (\`ssh -L\`, --socket), or use --url and --out.`;

export function ceremonyCommand(): Command {
  const command = new Command('ceremony')
    .description('Have a running enclave make its first keys: nobody ever sees them.')
    .requiredOption('-e, --enclave <folder>', 'the measured folder with enclave.yaml and its certificates')
    .requiredOption('--client <files...>', 'certificates of the clients that get keys')
    .option(
      '--database-user <name=file...>',
      'the password (or verifier) of a user, where the enclave is not to make it',
    );
  return withRequestOptions(command).option('--json', 'print JSON').addHelpText('after', HELP).action(ceremony);
}
