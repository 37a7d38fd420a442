/** `acra-enclave keys add-client`: makes keys for further clients under the master key that there is, in the folder or in a running enclave. */
import { Command } from 'commander';
import { requireKms } from '../../../config/kms.ts';
import { readCeremonyInput } from '../../../keys/ceremony-input.ts';
import { addClients } from '../../../keys/renewal.ts';
import { systemRandom } from '../../../runtime/random.ts';
import { type RequestOptions, withRequestOptions } from '../../keys/enclave-options.ts';
import { runChange } from '../../keys/run-change.ts';
import { asksEnclave } from '../../keys/source.ts';
import { keysContext, kmsOf } from '../../keys-context.ts';
import { kmsDecrypt } from '../../kms-decrypt.ts';
import { green, printJson, printLine, progress } from '../../output.ts';
import { untilStopped } from '../../until-signal.ts';

interface AddClientOptions extends RequestOptions {
  readonly client: readonly string[];
}

async function addClient(options: AddClientOptions): Promise<void> {
  const context = keysContext(options.enclave);
  const isRunning = asksEnclave(context, options);
  using input = readCeremonyInput(context, { clients: options.client });
  const clientIds = input.clients.map(({ clientId }) => clientId);
  if (isRunning) {
    const plan = async () => ({ kind: 'add-clients' as const, clients: clientIds });
    await runChange(options, context, { kind: 'add-clients', certificates: options.client, plan });
    return;
  }
  progress(`decrypting the master key under ${requireKms(context.config).keyArn}`);
  await untilStopped((signal) =>
    addClients({
      ...context,
      clientIds,
      random: systemRandom,
      decrypt: (ciphertext) => kmsDecrypt(ciphertext, kmsOf(context, signal)),
      signal,
    }),
  );
  if (options.json) printJson({ clientIds });
  else
    for (const { file, clientId } of input.clients) printLine(`${green('added')} keys of client ${clientId} (${file})`);
}

const HELP = `
With \`keys.source: parent\` in enclave.yaml the running enclave makes the keys, and no session ends: it needs --measurements, and --key or
--out (docs/keys.md). With \`keys.source: image\` none of these is given, and what follows holds.

Uses your AWS credentials for kms:Decrypt of the master key, without attestation. A strict key policy refuses that, and the
message says what would have to be allowed for a moment. All is added or nothing. The folder changes, and PCR0 with it: build
the image again, and let the key policy name the new measurements.`;

export function addClientCommand(): Command {
  const command = new Command('add-client')
    .description('Make keys for further clients, sealed under the same master key.')
    .requiredOption('-e, --enclave <folder>', 'the measured folder with its keys')
    .requiredOption('--client <files...>', 'certificates of the clients that get keys');
  return withRequestOptions(command).option('--json', 'print JSON').addHelpText('after', HELP).action(addClient);
}
