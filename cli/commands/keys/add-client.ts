/** `acra-enclave keys add-client`: makes keys for further clients under the master key that there is. */
import { Command } from 'commander';
import { readCeremonyInput } from '../../../keys/ceremony-input.ts';
import { addClients } from '../../../keys/renewal.ts';
import { systemRandom } from '../../../runtime/random.ts';
import { keysContext, kmsOf } from '../../keys-context.ts';
import { kmsDecrypt } from '../../kms-decrypt.ts';
import { green, printJson, printLine, progress } from '../../output.ts';
import { untilStopped } from '../../until-signal.ts';

interface AddClientOptions {
  readonly enclave: string;
  readonly client: readonly string[];
  readonly json?: boolean;
}

async function addClient(options: AddClientOptions): Promise<void> {
  const context = keysContext(options.enclave);
  using input = readCeremonyInput(context, { clients: options.client });
  const clientIds = input.clients.map(({ clientId }) => clientId);
  progress(`decrypting the master key under ${context.config.kms.keyArn}`);
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
Uses your AWS credentials for kms:Decrypt of the master key, without attestation. A strict key policy refuses that, and the
message says what would have to be allowed for a moment. All is added or nothing. The folder changes, and PCR0 with it: build
the image again, and let the key policy name the new measurements.`;

export function addClientCommand(): Command {
  return new Command('add-client')
    .description('Make keys for further clients, sealed under the same master key.')
    .requiredOption('-e, --enclave <folder>', 'the measured folder with its keys')
    .requiredOption('--client <files...>', 'certificates of the clients that get keys')
    .option('--json', 'print JSON')
    .addHelpText('after', HELP)
    .action(addClient);
}
