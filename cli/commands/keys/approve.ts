/** `acra-enclave keys approve`: an operator reads what a request asks for, and signs it. */
import { Command } from 'commander';
import { withSignatureOf } from '../../../attestation/published/envelope.ts';
import { readOperators } from '../../../keys/operators.ts';
import type { KeyRequest } from '../../../keys/requests/key-request.ts';
import { CliError } from '../../errors.ts';
import { readClientNames } from '../../keys/client-names.ts';
import { requireConsent } from '../../keys/consent.ts';
import { describeRequest } from '../../keys/describe-request.ts';
import { type EnclaveOptions, type KeySetOption, keySetOption, withProofOptions } from '../../keys/enclave-options.ts';
import { requireForgettable } from '../../keys/forgetting.ts';
import { judgeStoredSet, makersNamed } from '../../keys/judged-set.ts';
import { readOperatorKey } from '../../keys/make-request.ts';
import { approvalsOf, describeApprovals, readRequestFile, writeRequestFile } from '../../keys/request-file.ts';
import { requireFolderCommitted } from '../../keys/same-folder.ts';
import { requireParentKeys } from '../../keys/source.ts';
import { type KeysContext, keysContext } from '../../keys-context.ts';
import { collect } from '../../option-values.ts';
import { bold, green, printJson, printLine, printRow } from '../../output.ts';

interface ApproveOptions extends EnclaveOptions, KeySetOption {
  readonly proof?: readonly string[];
  readonly enclave: string;
  readonly key: string;
  readonly passphraseFile?: string;
  readonly client?: readonly string[];
  readonly out?: string;
  readonly yes?: true;
  readonly json?: boolean;
}

/** Old keys go for good, and the enclave cannot see the database: who signs has seen the proof. @throws CliError CLI_OPTION, CLI_KEYS_OTHER_SET; KeyError */
async function requireProved(
  { action, from, commitment }: KeyRequest,
  context: KeysContext,
  options: ApproveOptions,
): Promise<void> {
  if (action.kind !== 'forget-data') return;
  const { proof: proofs, keySet } = options;
  if (proofs === undefined || keySet === undefined) {
    throw new CliError('CLI_OPTION', 'that old data keys go is signed only upon proof that nothing is under them', {
      allowed: '--proof FILES, --key-set FOLDER of the set that the request names, and --measurements FILE',
    });
  }
  await requireFolderCommitted(commitment, context);
  const judged = await judgeStoredSet(keySet, await makersNamed(context, options));
  requireForgettable({ clientIds: action.clients, from, judged, enclave: context.folder, proofs });
}

/** Who signs twice has not been two. @throws CliError CLI_OPTION */
function requireUnsigned({ signed, missing }: ReturnType<typeof approvalsOf>, name: string): void {
  if (!signed.includes(name)) return;
  throw new CliError('CLI_OPTION', `${name} has signed it already, and a second signature counts for nothing`, {
    allowed: missing.length === 0 ? '`keys submit`: all have signed' : `the key of ${missing.join(' or ')}`,
  });
}

async function approve(file: string, options: ApproveOptions): Promise<void> {
  const context = keysContext(options.enclave);
  const keys = requireParentKeys(context, 'nothing is approved there: keys change with the image');
  const { content, envelope } = readRequestFile(file);
  if (content.enclave !== context.config.name) {
    throw new CliError('CLI_OPTION', 'the request is for an enclave of another name', {
      found: content.enclave,
      allowed: context.config.name,
    });
  }
  const operators = readOperators(context.folder, context.config);
  const signer = await readOperatorKey(context, options);
  if (signer === undefined) return;
  const before = approvalsOf(envelope, operators);
  if (!options.json) {
    for (const [label, text] of describeRequest(content, readClientNames(context.folder, options.client)))
      printRow(label, text);
    printRow('signatures', describeApprovals(before, keys.approvals));
  }
  await requireProved(content, context, options);
  requireUnsigned(before, signer.name);
  await requireConsent(`Sign this as ${signer.name}?`, 'nothing was signed', options);
  const signed = withSignatureOf(envelope, signer.key);
  const out = options.out ?? file;
  await writeRequestFile(out, signed);
  const approvals = approvalsOf(signed, operators);
  if (options.json) printJson({ out, operator: signer.name, ...approvals, approvals: keys.approvals });
  else printLine(`${green('signed')} ${bold(out)} as ${signer.name}: ${describeApprovals(approvals, keys.approvals)}`);
}

const HELP = `
Shows in words what the request asks for, and whose signatures it has; then asks. The request holds for one boot of the enclave and for the
key set that it has now: whatever is handed in later is refused. Secrets in it are encrypted to the enclave, and cannot be shown.

Clients are named as far as enclave.yaml names them, or their certificates are given by --client; never sign for one that you do not know.

Where old data keys go, the proof is demanded that nothing is under them, by the ids in the key set that the request names: --proof, --key-set, and
--measurements (or --pcr) of the image that made it.`;

export function approveCommand(): Command {
  const command = new Command('approve')
    .description('Read what a request about keys asks for, and sign it as an operator.')
    .argument('<file>', 'the request, as a command with --out wrote it')
    .requiredOption('-e, --enclave <folder>', 'the measured folder of the enclave, which names the operators')
    .requiredOption('-k, --key <file>', 'PEM of your private key')
    .option('--passphrase-file <file>', 'of an encrypted key')
    .option('--client <file>', 'certificate of a client that the request names; may be given several times', collect)
    .option('--proof <files...>', 'what `data reencrypt --check --json` printed, where old data keys go')
    .addOption(keySetOption('where old data keys go: the set that the request names'))
    .option('-o, --out <file>', 'the signed request; default: the file itself')
    .option('--json', 'print JSON, and only what became of it: with --yes')
    .option('--yes', 'sign without being asked: you have read it');
  return withProofOptions(command).addHelpText('after', HELP).action(approve);
}
