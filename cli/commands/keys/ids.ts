/** `acra-enclave keys ids`: by which ids stored values name the keys of each client, for `data reencrypt`. */
import { Command } from 'commander';
import type { ClientKeyIds } from '../../../acra/keystore/client-key-ids.ts';
import { requireKms } from '../../../config/kms.ts';
import { dataKeyIds } from '../../../keys/data-keys.ts';
import { keyIdsDocument } from '../../../keys/key-ids-file.ts';
import { askEnclaveKeys } from '../../keys/ask-keys.ts';
import {
  type EnclaveOptions,
  type KeySetOption,
  keySetOption,
  withDaemonOptions,
  withProofOptions,
} from '../../keys/enclave-options.ts';
import { type JudgedKeySet, judgeFirstSet, judgeStoredSet, makersNamed, requireUsed } from '../../keys/judged-set.ts';
import { printTrust } from '../../keys/print-trust.ts';
import { proveEnclave } from '../../keys/proven-enclave.ts';
import { asksEnclave } from '../../keys/source.ts';
import { type KeysContext, keysContext, kmsOf } from '../../keys-context.ts';
import { kmsDecrypt } from '../../kms-decrypt.ts';
import { printJson, printLine, progress } from '../../output.ts';
import { untilStopped } from '../../until-signal.ts';

interface IdsOptions extends EnclaveOptions, KeySetOption {
  readonly enclave: string;
  readonly json?: boolean;
}

/** @throws CliError CLI_KEYS_OTHER_SET, KeyError, AttestationError, CodedError of the daemon */
async function judgedSet(context: KeysContext, options: IdsOptions): Promise<JudgedKeySet> {
  const { keySet } = options;
  if (keySet !== undefined) return judgeStoredSet(keySet, await makersNamed(context, options));
  progress('asking the enclave what it is');
  const enclave = await proveEnclave(options);
  const judged = await judgeFirstSet(options, enclave);
  const { taken } = await askEnclaveKeys(options);
  requireUsed(judged, taken?.sha256 ?? null);
  return judged;
}

async function idsInSet(context: KeysContext, options: IdsOptions): Promise<readonly ClientKeyIds[]> {
  if (!options.json) printTrust(options.trustRoot);
  const { set, sha256, transcript } = await judgedSet(context, options);
  progress(`ids in generation ${set.generation}, ${sha256}, made in the image with PCR0 ${transcript.image}`);
  return set.keyIds;
}

async function idsInFolder(context: KeysContext): Promise<readonly ClientKeyIds[]> {
  progress(`decrypting the master key under ${requireKms(context.config).keyArn}`);
  return await untilStopped((signal) =>
    dataKeyIds({ ...context, decrypt: (ciphertext) => kmsDecrypt(ciphertext, kmsOf(context, signal)), signal }),
  );
}

async function printIds(options: IdsOptions): Promise<void> {
  const context = keysContext(options.enclave);
  const isInSet = asksEnclave(context, options, NEEDED);
  const document = keyIdsDocument(await (isInSet ? idsInSet(context, options) : idsInFolder(context)));
  if (options.json) printJson(document);
  else for (const { clientId, current, old } of document.clients) printLine([clientId, current, ...old].join(' '));
}

const NEEDED = '--measurements FILE, and --socket PATH or --key-set FOLDER';

const HELP = `
Prints a line for each client: its id, the id of its current key, and those of its old keys. An id is two bytes of a hash of the key, and
stands in clear in every stored value: it tells nothing that the database has not.

With \`keys.source: image\` it uses your AWS credentials for kms:Decrypt of the master key, without attestation, as \`keys add-client\` does. Nothing is
changed, and no further option is given.

With \`keys.source: parent\` the ids stand in the key set. An enclave of the image that --measurements (or --pcr) names, or of one in \`keys.madeIn\`,
must have made it: a parent that could tell other ids would make what \`data reencrypt\` proves worthless. With --socket (or --config) the enclave
proves what it is, and the set is the one that the parent says it works with; with --key-set no enclave is asked, and it may be an older one.
The parent's word for which set is in use does no harm: \`data reencrypt\` finds out an enclave with another current key, and
\`keys forget-old\` demands the proof for the very set that the enclave then changes.`;

export function idsCommand(): Command {
  const command = new Command('ids')
    .description('Print the ids by which stored values name the keys of each client.')
    .requiredOption('-e, --enclave <folder>', 'the measured folder');
  return withDaemonOptions(withProofOptions(command))
    .addOption(keySetOption('which key set').conflicts(['config', 'socket']))
    .option('--json', 'print JSON, for data reencrypt')
    .addHelpText('after', HELP)
    .action(printIds);
}
