/** Hands a signed request in, judges what came back, and tells it. */
import { encodeEnvelope } from '../../attestation/published/envelope.ts';
import { type ChangeAnswer, changeAnswer } from '../../host-proxy/keys/key-answers.ts';
import { KeyError } from '../../keys/errors.ts';
import type { SignedKeyRequest } from '../../keys/requests/key-request.ts';
import type { DaemonOption } from '../ask-daemon.ts';
import { green, printJson, printLine, progress, yellow } from '../output.ts';
import { askFor, askToChange } from './ask-keys.ts';
import { checkAnswer, type MadeKeySet } from './check-answer.ts';
import { printHead, printMade, roleStatements } from './print-made.ts';
import type { ProvenEnclave } from './proven-enclave.ts';

type Made = Extract<ChangeAnswer, { kind: 'made' }>;

export interface HandIn {
  readonly request: SignedKeyRequest;
  /** Undefined: what comes back is not judged here. */
  readonly enclave: ProvenEnclave | undefined;
  readonly pin: string | undefined;
  readonly json: boolean;
}

/** Before anything is asked for: it would be refused. @throws KeyError KEY_REQUEST_STALE */
function requireSameBoot({ content }: SignedKeyRequest, enclave: ProvenEnclave): void {
  const own = [enclave.name, enclave.commitment, enclave.publicKey.toString('base64')];
  const asked = [content.enclave, content.commitment, content.enclaveKey];
  if (own.every((part, index) => part === asked[index])) return;
  throw new KeyError('KEY_REQUEST_STALE', 'the request is for another enclave, boot or configuration', {
    found: asked.join(', '),
    allowed: own.join(', '),
  });
}

function tellChanged({ what, head }: Extract<ChangeAnswer, { kind: 'changed' }>): void {
  printLine(`${green('changed')} ${what}`);
  printHead(head);
}

function tellUnjudged({ name, head }: Made, json: boolean): void {
  if (json) {
    printJson({ kind: 'made', name, head, judged: false });
    return;
  }
  printLine(`${green('made')} ${name}`);
  printHead(head);
  printLine(
    yellow('What came back was not judged here: on a machine of yours `acra-enclave keys audit verify` does it.'),
  );
}

function tellMade(answer: Made, made: MadeKeySet, { request, pin, json }: HandIn): void {
  const { action } = request.content;
  if (!json) {
    printMade(answer, made, action, pin);
    return;
  }
  const { name, taken, problem, head } = answer;
  const { generation } = made.set;
  const database = roleStatements(made.set, action);
  printJson({ kind: 'made', generation, sha256: made.sha256, name, taken, problem, head, database, judged: true });
}

/** @throws CliError CLI_KEYS_ANSWER; KeyError; CodedError, also the enclave’s and the daemon’s */
export async function handIn(options: DaemonOption, wish: HandIn): Promise<void> {
  const { request, enclave, json } = wish;
  if (enclave !== undefined) requireSameBoot(request, enclave);
  progress('handing the request in');
  const file = Buffer.from(encodeEnvelope(request.envelope));
  const asking = askFor(options, { command: 'change-keys', request: file.toString('base64') }, changeAnswer);
  const answer = await askToChange(asking);
  if (answer.kind === 'made') {
    if (enclave === undefined) tellUnjudged(answer, json);
    else tellMade(answer, checkAnswer(answer, request, enclave), wish);
  } else if (json) printJson(answer);
  else tellChanged(answer);
}
