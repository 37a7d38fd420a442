/** `acra-enclave keys ids`: by which ids stored values name the keys of each client, for `data reencrypt`. */
import { Command } from 'commander';
import { requireKms } from '../../../config/kms.ts';
import { dataKeyIds } from '../../../keys/data-keys.ts';
import { keyIdsDocument } from '../../../keys/key-ids-file.ts';
import { requireImageKeys } from '../../keys/source.ts';
import { keysContext, kmsOf } from '../../keys-context.ts';
import { kmsDecrypt } from '../../kms-decrypt.ts';
import { printJson, printLine, progress } from '../../output.ts';
import { untilStopped } from '../../until-signal.ts';

interface IdsOptions {
  readonly enclave: string;
  readonly json?: boolean;
}

async function printIds(options: IdsOptions): Promise<void> {
  const context = keysContext(options.enclave);
  requireImageKeys(context, 'nothing: no machine but the enclave has the master key that this needs');
  progress(`decrypting the master key under ${requireKms(context.config).keyArn}`);
  const ids = await untilStopped((signal) =>
    dataKeyIds({ ...context, decrypt: (ciphertext) => kmsDecrypt(ciphertext, kmsOf(context, signal)), signal }),
  );
  const document = keyIdsDocument(ids);
  if (options.json) printJson(document);
  else for (const { clientId, current, old } of document.clients) printLine([clientId, current, ...old].join(' '));
}

const HELP = `
Prints a line for each client: its id, the id of its current key, and those of its old keys. An id is two bytes of a hash of the key, and
stands in clear in every stored value: it tells nothing that the database has not.

Uses your AWS credentials for kms:Decrypt of the master key, without attestation, as \`keys add-client\` does. Nothing is changed.`;

export function idsCommand(): Command {
  return new Command('ids')
    .description('Print the ids by which stored values name the keys of each client.')
    .requiredOption('-e, --enclave <folder>', 'the measured folder with its keys')
    .option('--json', 'print JSON, for data reencrypt')
    .addHelpText('after', HELP)
    .action(printIds);
}
