/** `acra-enclave keys rotate data`: new data keys for clients; the old ones stay, and open what is under them. */
import { Command } from 'commander';
import { requireKms } from '../../../../config/kms.ts';
import { readCeremonyInput } from '../../../../keys/ceremony-input.ts';
import { rotateDataKeys } from '../../../../keys/data-keys.ts';
import { keyIdsDocument } from '../../../../keys/key-ids-file.ts';
import { systemRandom } from '../../../../runtime/random.ts';
import { type RequestOptions, withRequestOptions } from '../../../keys/enclave-options.ts';
import { runChange } from '../../../keys/run-change.ts';
import { asksEnclave } from '../../../keys/source.ts';
import { keysContext, kmsOf } from '../../../keys-context.ts';
import { kmsDecrypt } from '../../../kms-decrypt.ts';
import { green, printJson, printLine, progress } from '../../../output.ts';
import { untilStopped } from '../../../until-signal.ts';

interface RotateDataOptions extends RequestOptions {
  readonly client: readonly string[];
}

async function rotateData(options: RotateDataOptions): Promise<void> {
  const context = keysContext(options.enclave);
  const isRunning = asksEnclave(context, options);
  using input = readCeremonyInput(context, { clients: options.client });
  const clientIds = input.clients.map(({ clientId }) => clientId);
  if (isRunning) {
    const plan = async () => ({ kind: 'rotate-data' as const, clients: clientIds });
    await runChange(options, context, { kind: 'rotate-data', certificates: options.client, plan });
    return;
  }
  progress(`decrypting the master key under ${requireKms(context.config).keyArn}`);
  const ids = await untilStopped((signal) =>
    rotateDataKeys({
      ...context,
      clientIds,
      random: systemRandom,
      decrypt: (ciphertext) => kmsDecrypt(ciphertext, kmsOf(context, signal)),
      signal,
    }),
  );
  if (options.json) {
    printJson(keyIdsDocument(ids));
    return;
  }
  for (const { file, clientId } of input.clients)
    printLine(`${green('rotated')} data keys of client ${clientId} (${file})`);
  printLine('Build the image again, and roll it out; then data reencrypt.');
}

const HELP = `
Each client gets a new symmetric key and a new key pair. Its old ones stay in the keystore, and open what was encrypted with them; its
search key stays what it is, since what is stored is found by it. All is rotated or nothing, and a crash leaves the one or the other.

With \`keys.source: parent\` in enclave.yaml the running enclave makes the keys, and no session ends: it needs --measurements, and --key or
--out (docs/keys.md). With \`keys.source: image\` none of these is given, and what follows holds.

An enclave with the old image cannot read what one with the new image writes: replace all that serve a database at once.

Uses your AWS credentials for kms:Decrypt of the master key, without attestation, as \`keys add-client\` does. The folder changes, and PCR0
with it: build the image again, and let the key policy name the new measurements.`;

export function rotateDataCommand(): Command {
  const command = new Command('data')
    .description('Make new data keys for clients, and keep the old ones for what is under them.')
    .requiredOption('-e, --enclave <folder>', 'the measured folder with its keys')
    .requiredOption('--client <files...>', 'certificates of the clients that get new keys');
  return withRequestOptions(command)
    .option(
      '--json',
      'print the ids of all clients’ keys as JSON, for data reencrypt; of a running enclave what was made, and `keys ids` prints them',
    )
    .addHelpText('after', HELP)
    .action(rotateData);
}
