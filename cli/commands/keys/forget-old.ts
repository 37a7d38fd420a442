/** `acra-enclave keys forget-old`: takes the keys away that clients had before, once nothing in the database is under them. */
import { Command } from 'commander';
import { requireKms } from '../../../config/kms.ts';
import { readCeremonyInput } from '../../../keys/ceremony-input.ts';
import { forgetDataKeys } from '../../../keys/data-keys.ts';
import { hasStructs, readProof, requireProofs } from '../../../keys/reencryption-proof.ts';
import { readConfigured } from '../../configured.ts';
import { CliError } from '../../errors.ts';
import {
  type KeySetOption,
  keySetOption,
  type RequestOptions,
  withRequestOptions,
} from '../../keys/enclave-options.ts';
import { requireForgettable } from '../../keys/forgetting.ts';
import { type JudgedKeySet, judgeFirstSet, judgeStoredSet } from '../../keys/judged-set.ts';
import type { ProvenEnclave } from '../../keys/proven-enclave.ts';
import { runChange } from '../../keys/run-change.ts';
import { requireFolderOf } from '../../keys/same-folder.ts';
import { asksEnclave } from '../../keys/source.ts';
import { type KeysContext, keysContext, kmsOf } from '../../keys-context.ts';
import { kmsDecrypt } from '../../kms-decrypt.ts';
import { green, printJson, printLine, progress } from '../../output.ts';
import { untilStopped } from '../../until-signal.ts';

interface ForgetOptions extends RequestOptions, KeySetOption {
  readonly client: readonly string[];
  readonly proof: readonly string[];
}

/** @throws CliError CLI_OPTION; KeyError KEY_SET_…, KEY_TRANSCRIPT_…; CodedError of the daemon */
async function judgedSet(options: ForgetOptions, enclave: ProvenEnclave): Promise<JudgedKeySet> {
  const { keySet, url } = options;
  if (keySet !== undefined) return judgeStoredSet(keySet, enclave);
  if (url === undefined) return judgeFirstSet(options, enclave);
  throw new CliError('CLI_OPTION', '--key-set is missing: the listener does not tell the ids of keys', {
    allowed: '--key-set FOLDER, a copy of the key set in use',
  });
}

async function forgetInEnclave(options: ForgetOptions, context: KeysContext): Promise<void> {
  const { proof: proofs } = options;
  using input = readCeremonyInput(context, { clients: options.client });
  const clientIds = input.clients.map(({ clientId }) => clientId);
  await runChange(options, context, {
    kind: 'forget-data',
    certificates: options.client,
    permit: async (enclave, from) => {
      await requireFolderOf(enclave, context);
      const judged = await judgedSet(options, enclave);
      requireForgettable({ clientIds, from, judged, enclave: context.folder, proofs });
    },
    plan: async () => ({ kind: 'forget-data', clients: clientIds }),
  });
}

async function forgetOld(options: ForgetOptions): Promise<void> {
  const context = keysContext(options.enclave);
  if (asksEnclave(context, options)) return forgetInEnclave(options, context);
  return forgetInFolder(options, context);
}

async function forgetInFolder(options: ForgetOptions, context: KeysContext): Promise<void> {
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
  if (keepsPairs) progress('old key pairs stay: a column has crypto_envelope acrastruct, which does not name its key');
}

const HELP = `
What is under the old keys is LOST for good: backups and dumps of the database from before \`data reencrypt\`, replicas that have not caught
up, and databases that no proof is of. Keep a copy of the measured folder (of the key set before, with \`keys.source: parent\`) for as long as
you keep such backups, apart from the parent instance.

Demands, for every protected column in encryptor.yaml and each client, the proof that nothing is under an old key:
  acra-enclave data reencrypt --check … --json > proof-TABLE.json
It counts only with the keys that there are now. Where several databases or schemas have a table, check each: this command cannot tell.

With \`keys.source: parent\` in enclave.yaml the running enclave does it, and no session ends: it needs --measurements, and --key or --out
(docs/keys.md). The proof is judged here, by the ids in the key set that the enclave works with: it cannot see the database, and forgets
what operators sign. Older key sets still have the old keys, until no key policy or pin lets them be opened.

With \`keys.source: image\` it uses your AWS credentials for kms:Decrypt, as \`keys add-client\` does. The folder changes, and PCR0 with it: build the image again.`;

export function forgetOldCommand(): Command {
  const command = new Command('forget-old')
    .description('Take away the old data keys of clients, once it is proved that nothing is under them.')
    .requiredOption('-e, --enclave <folder>', 'the measured folder with its keys')
    .requiredOption('--client <files...>', 'certificates of the clients whose old keys go')
    .requiredOption('--proof <files...>', 'what `data reencrypt --check --json` printed, of every table');
  return withRequestOptions(command)
    .addOption(keySetOption('the key set in use; default: the daemon is asked'))
    .option('--json', 'print JSON')
    .addHelpText('after', HELP)
    .action(forgetOld);
}
