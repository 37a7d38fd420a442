/** `acra-enclave keys rotate data`: new data keys for clients; the old ones stay, and open what is under them. */
import { Command } from 'commander';
import { readCeremonyInput } from '../../../../keys/ceremony-input.ts';
import { rotateDataKeys } from '../../../../keys/data-keys.ts';
import { keyIdsDocument } from '../../../../keys/key-ids-file.ts';
import { systemRandom } from '../../../../runtime/random.ts';
import { keysContext, kmsOf } from '../../../keys-context.ts';
import { kmsDecrypt } from '../../../kms-decrypt.ts';
import { green, printJson, printLine, progress } from '../../../output.ts';
import { untilStopped } from '../../../until-signal.ts';

interface RotateDataOptions {
  readonly enclave: string;
  readonly client: readonly string[];
  readonly json?: boolean;
}

async function rotateData(options: RotateDataOptions): Promise<void> {
  const context = keysContext(options.enclave);
  using input = readCeremonyInput(context, { clients: options.client });
  const clientIds = input.clients.map(({ clientId }) => clientId);
  progress(`decrypting the master key under ${context.config.kms.keyArn}`);
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

An enclave with the old image cannot read what one with the new image writes: replace all that serve a database at once.

Uses your AWS credentials for kms:Decrypt of the master key, without attestation, as \`keys add-client\` does. The folder changes, and PCR0
with it: build the image again, and let the key policy name the new measurements.`;

export function rotateDataCommand(): Command {
  return new Command('data')
    .description('Make new data keys for clients, and keep the old ones for what is under them.')
    .requiredOption('-e, --enclave <folder>', 'the measured folder with its keys')
    .requiredOption('--client <files...>', 'certificates of the clients that get new keys')
    .option('--json', 'print the ids of all clients’ keys as JSON, for data reencrypt')
    .addHelpText('after', HELP)
    .action(rotateData);
}
