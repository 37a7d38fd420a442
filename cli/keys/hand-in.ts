/** Hands a signed request in, judges what came back, and tells it. */
import { encodeEnvelope } from '../../attestation/published/envelope.ts';
import { type ChangeAnswer, changeAnswer } from '../../host-proxy/keys/key-answers.ts';
import { KeyError } from '../../keys/errors.ts';
import type { SignedKeyRequest } from '../../keys/requests/key-request.ts';
import { green, printJson, printLine, progress, yellow } from '../output.ts';
import { askFor, askToChange } from './ask-keys.ts';
import { checkAnswer, type MadeKeySet, requireKindAskedFor } from './check-answer.ts';
import type { EnclaveOptions } from './enclave-options.ts';
import { printHead, printMade, roleStatements } from './print-made.ts';
import { type ProvenEnclave, proveEnclave } from './proven-enclave.ts';

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

/** The parent says that there is another TLS key: whether there is one the enclave proves. @throws as proveEnclave */
async function tellChanged(
  { what, head }: Extract<ChangeAnswer, { kind: 'changed' }>,
  options: EnclaveOptions,
  { enclave, json }: HandIn,
): Promise<void> {
  const now = enclave === undefined ? null : (await proveEnclave(options)).tlsKeySha256;
  const isProved = enclave !== undefined && now !== enclave.tlsKeySha256;
  if (json) {
    printJson({ kind: 'changed', what, head, tlsKeySha256: now, judged: isProved });
    return;
  }
  if (isProved) printLine(`${green('changed')} the TLS key of new sessions is ${now}, proved`);
  else printLine(yellow(`The parent says: ${what}. ${notShown(now)}`));
  printHead(head);
}

function notShown(tlsKeySha256: string | null): string {
  if (tlsKeySha256 === null) return 'It was not judged here: `acra-enclave verify` on a machine of yours does it.';
  return `The enclave still proves ${tlsKeySha256}: the new key awaits its certificate (docs/tls-key.md), or this is not true.`;
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

/** @throws CliError CLI_KEYS_ANSWER; KeyError; AttestationError; CodedError, also the enclave’s and the daemon’s */
export async function handIn(options: EnclaveOptions, wish: HandIn): Promise<void> {
  const { request, enclave, json } = wish;
  if (enclave !== undefined) requireSameBoot(request, enclave);
  progress('handing the request in');
  const file = Buffer.from(encodeEnvelope(request.envelope));
  const asking = askFor(options, { command: 'change-keys', request: file.toString('base64') }, changeAnswer);
  const answer = await askToChange(asking);
  requireKindAskedFor(answer, request);
  if (answer.kind === 'changed') await tellChanged(answer, options, wish);
  else if (enclave === undefined) tellUnjudged(answer, json);
  else tellMade(answer, checkAnswer(answer, request, enclave), wish);
}
