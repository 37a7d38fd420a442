/** `acra-enclave keys forget-old`: takes the keys away that clients had before, once nothing in the database is under them. */
import { Command } from 'commander';
import { requireKms } from '../../../config/kms.ts';
import { readCeremonyInput } from '../../../keys/ceremony-input.ts';
import { forgetDataKeys } from '../../../keys/data-keys.ts';
import { hasStructs, readProof, requireProofs } from '../../../keys/reencryption-proof.ts';
import { readConfigured } from '../../configured.ts';
import { requireImageKeys } from '../../keys/source.ts';
import { keysContext, kmsOf } from '../../keys-context.ts';
import { kmsDecrypt } from '../../kms-decrypt.ts';
import { green, printJson, printLine, progress, yellow } from '../../output.ts';
import { untilStopped } from '../../until-signal.ts';

interface ForgetOptions {
  readonly enclave: string;
  readonly client: readonly string[];
  readonly proof: readonly string[];
  readonly json?: boolean;
}

async function forgetOld(options: ForgetOptions): Promise<void> {
  const context = keysContext(options.enclave);
  requireImageKeys(context, 'nothing: no machine but the enclave has the master key that this needs');
  const { tables } = readConfigured(options.enclave);
  const proofs = options.proof.map(readProof);
  using input = readCeremonyInput(context, { clients: options.client });
  const keepsPairs = hasStructs(tables);
  progress(`decrypting the master key under ${requireKms(context.config).keyArn}`);
  const files = await untilStopped((signal) =>
    forgetDataKeys({
      ...context,
      clientIds: input.clients.map(({ clientId }) => clientId),
      keepsPairs,
      requireProof: (ids) => requireProofs(ids, tables, proofs),
      decrypt: (ciphertext) => kmsDecrypt(ciphertext, kmsOf(context, signal)),
      signal,
    }),
  );
  if (options.json) printJson({ files });
  else for (const file of files) printLine(`${green('gone')} ${file}`);
  if (files.length === 0) progress('there are no old keys');
  if (keepsPairs)
    progress(yellow('old key pairs stay: a column has crypto_envelope acrastruct, which does not name its key'));
}

const HELP = `
What is under the old keys is LOST for good: backups and dumps of the database from before \`data reencrypt\`, replicas that have not caught
up, and databases that no proof is of. Keep a copy of the measured folder with the old keys for as long as you keep such backups, apart
from the parent instance.

Demands, for every protected column in encryptor.yaml and each client, the proof that nothing is under an old key:
  acra-enclave data reencrypt --check … --json > proof-TABLE.json
It counts only with the keys that the folder has now. Where several databases or schemas have a table, check each: this command cannot tell.

Uses your AWS credentials for kms:Decrypt, as \`keys add-client\` does. The folder changes, and PCR0 with it: build the image again.`;

export function forgetOldCommand(): Command {
  return new Command('forget-old')
    .description('Take away the old data keys of clients, once it is proved that nothing is under them.')
    .requiredOption('-e, --enclave <folder>', 'the measured folder with its keys')
    .requiredOption('--client <files...>', 'certificates of the clients whose old keys go')
    .requiredOption('--proof <files...>', 'what `data reencrypt --check --json` printed, of every table')
    .option('--json', 'print JSON')
    .addHelpText('after', HELP)
    .action(forgetOld);
}
