/**
 * Whether what came back over the parent is what was asked for: a key set that an enclave of the expected image made for this request, from
 * the set that it names. The operator's command judges it; the parent only carried it.
 */
import { createHash } from 'node:crypto';
import type { ChangeAnswer } from '../../host-proxy/keys/key-answers.ts';
import type { SignedKeyRequest } from '../../keys/requests/key-request.ts';
import { clientsOf } from '../../keys/set/clients.ts';
import { decodeKeySet, type KeySet, keySetDigest } from '../../keys/set/key-set.ts';
import { parseTranscript, readTranscript } from '../../keys/set/transcript.ts';
import { CliError } from '../errors.ts';
import type { ProvenEnclave } from './proven-enclave.ts';

export interface MadeKeySet {
  readonly set: KeySet;
  readonly sha256: string;
}

function differs(what: string, found: string, allowed: string): CliError {
  return new CliError('CLI_KEYS_ANSWER', `the key set that came back ${what}`, { found, allowed });
}

function requireEqual(what: string, found: string | null, allowed: string | null): void {
  if (found !== allowed) throw differs(what, found ?? 'none', allowed ?? 'none');
}

function requireClients({ content: { action } }: SignedKeyRequest, set: KeySet): void {
  const asked = action.kind === 'ceremony' || action.kind === 'add-clients' ? action.clients : [];
  const there = new Set(clientsOf(set));
  const missing = asked.filter((id) => !there.has(id));
  if (missing.length > 0) throw differs('lacks keys of clients', [...there].join(', '), missing.join(', '));
}

/**
 * Whoever says that something has changed shows no set, and so nothing that could be judged: only a request that makes none is answered so.
 * @throws CliError CLI_KEYS_ANSWER
 */
export function requireKindAskedFor({ kind }: ChangeAnswer, { content: { action } }: SignedKeyRequest): void {
  const asked = action.kind === 'rotate-tls' ? 'changed' : 'made';
  if (kind === asked) return;
  throw new CliError('CLI_KEYS_ANSWER', `the answer is none to what was asked for (${action.kind})`, {
    found: kind,
    allowed: asked,
  });
}

/** @throws CliError CLI_KEYS_ANSWER; KeyError KEY_SET_INVALID, KEY_TRANSCRIPT_… */
export function checkAnswer(
  answer: Extract<ChangeAnswer, { kind: 'made' }>,
  request: SignedKeyRequest,
  enclave: Pick<ProvenEnclave, 'image' | 'rootDer' | 'commitment' | 'name'>,
): MadeKeySet {
  const encoding = Buffer.from(answer.keySet, 'base64');
  const set = decodeKeySet(encoding);
  const transcript = parseTranscript(Buffer.from(answer.transcript, 'base64'));
  const { rootDer, image } = enclave;
  const made = readTranscript(transcript, encoding, { rootDer, images: [image] });
  const asked = createHash('sha256').update(request.payload).digest('hex');
  requireEqual('was made for another request', made.requestSha256, asked);
  requireEqual('was made by an enclave that runs otherwise', made.commitment.toString('hex'), enclave.commitment);
  requireEqual('is of another enclave', set.name, enclave.name);
  requireEqual('was made from another one', set.previous, request.content.from);
  requireClients(request, set);
  return { set, sha256: keySetDigest(encoding) };
}
