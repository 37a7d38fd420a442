/** `acra-enclave keys load`: an operator gives his share of the keys to an enclave that waits for it, after it has proved what it is. */
import { Command } from 'commander';
import { type ShareAnswer, shareAnswer } from '../../../host-proxy/keys/key-answers.ts';
import { KeyError } from '../../../keys/errors.ts';
import { sealShareFor } from '../../../keys/requests/loaded-share.ts';
import { askFor, askToChange } from '../../keys/ask-keys.ts';
import { requireConsent } from '../../keys/consent.ts';
import { type EnclaveOptions, withDaemonOptions, withProofOptions } from '../../keys/enclave-options.ts';
import { type JudgedKeySet, judgeFirstSet } from '../../keys/judged-set.ts';
import { openOwnShare } from '../../keys/own-share.ts';
import { printHead } from '../../keys/print-made.ts';
import { printTrust } from '../../keys/print-trust.ts';
import { type ProvenEnclave, proveEnclave } from '../../keys/proven-enclave.ts';
import { parseCount } from '../../option-values.ts';
import { green, printJson, printLine, printRow, progress, yellow } from '../../output.ts';

interface LoadOptions extends EnclaveOptions {
  readonly key: string;
  readonly passphraseFile?: string;
  readonly newest?: number;
  readonly yes?: true;
  readonly json?: boolean;
}

/** The enclave has no memory, and no key policy has a say: whoever loads is what keeps an older set out. @throws KeyError KEY_SET_ROLLED_BACK */
function requireNewest({ set, sha256 }: JudgedKeySet, newest: number | undefined): void {
  if (newest === undefined || set.generation >= newest) return;
  throw new KeyError('KEY_SET_ROLLED_BACK', 'the parent brings an older key set than you know', {
    found: `generation ${set.generation}, ${sha256}`,
    allowed: `generation ${newest} or later`,
  });
}

function printAll({ name, image, commitment, publicKey, moduleId }: ProvenEnclave, judged: JudgedKeySet): void {
  const { set, sha256, transcript } = judged;
  const { keeper } = set;
  printRow('enclave', JSON.stringify(name));
  printRow('runs as', moduleId);
  printRow('image (PCR0)', `${image}, proved`);
  printRow('commits to', commitment);
  printRow('in the boot of', `the X25519 key ${publicKey.toString('base64')}`);
  printRow('key set', `generation ${set.generation}, ${sha256}`);
  printRow('made', `${new Date(transcript.madeAtMs).toISOString()}, by ${transcript.request.action.kind}`);
  if (keeper.kind !== 'operators') return;
  printRow('is opened by', `${keeper.k} of ${keeper.shares.map(({ operator }) => operator).join(', ')}`);
}

/** `1 of 2 (alice)`; more than enough is not 3 of 2. */
const describeLoaded = (loaded: readonly string[], needed: number) =>
  `${Math.min(loaded.length, needed)} of ${needed} (${loaded.join(', ')})`;

function printAnswer({ loaded, needed, taken, problem, head }: ShareAnswer, operator: string): void {
  printLine(`${green('loaded')} the share of ${operator}: ${describeLoaded(loaded, needed)}`);
  if (taken) printLine(green('The enclave has its keys.'));
  else if (problem !== null) printLine(yellow(`The set is not in use: ${problem.code ?? ''} ${problem.message}`));
  else printLine('It waits for the others.');
  printHead(head);
}

async function load(options: LoadOptions): Promise<void> {
  const { json = false } = options;
  if (!json) printTrust(options.trustRoot);
  progress('asking the enclave what it is');
  const enclave = await proveEnclave(options);
  const judged = await judgeFirstSet(options, enclave);
  requireNewest(judged, options.newest);
  const { operator, share } = await openOwnShare(judged.set, options);
  using _ = share;
  if (!json) printAll(enclave, judged);
  await requireConsent(`Give your share to this enclave, as ${operator}?`, 'nothing was loaded', options);
  const { name, commitment, nonce, publicKey } = enclave;
  const context = { operator, keySet: judged.sha256, enclave: name, commitment, nonce };
  const sealed = Buffer.from(JSON.stringify(await sealShareFor(publicKey, context, share)));
  const asking = askFor(options, { command: 'load-share', share: sealed.toString('base64') }, shareAnswer);
  const answer = await askToChange(asking);
  if (json) printJson({ operator, sha256: judged.sha256, generation: judged.set.generation, ...answer });
  else printAnswer(answer, operator);
}

const HELP = `
Where operators keep the keys (\`keys.keeper\` of enclave.yaml), an enclave waits for so many of them after each start. Your share lies in the key set,
encrypted to you; it is opened here, compared with its hash in the set, and encrypted to this boot of the enclave that has proved what it is.
Run this on a machine of yours, over a forwarded socket: \`ssh -L /tmp/acra.sock:/run/acra-enclave/command.sock PARENT\`, then --socket /tmp/acra.sock.

Nothing but you keeps the parent from bringing an older key set: note the generation that you have loaded, and give it as --newest the next time.`;

export function loadCommand(): Command {
  const command = new Command('load').description(
    'Give your share of the keys to an enclave that waits for operators.',
  );
  return withDaemonOptions(withProofOptions(command))
    .requiredOption('-k, --key <file>', 'PEM of your X25519 private key, PKCS #8, readable by you alone')
    .option('--passphrase-file <file>', 'of an encrypted key')
    .option('--newest <generation>', 'refuse a key set of an older generation', parseCount(1, 999_999_999))
    .option('--yes', 'load without being asked')
    .option('--json', 'print JSON')
    .addHelpText('after', HELP)
    .action(load);
}
