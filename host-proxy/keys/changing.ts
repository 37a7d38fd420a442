/**
 * A change of the keys, as operators ask for it: passed to the enclave, whose new set is on disk before it is brought. Whatever ends in
 * between, the set that was in use is there, or the new one, or both; the daemon's next start brings the newest.
 */
import { createHash } from 'node:crypto';
import { type KeyAction, readKeyRequest } from '../../keys/requests/key-request.ts';
import { ReportedError } from '../../wire/errors.ts';
import { HostProxyError } from '../errors.ts';
import type { EnclaveKeys } from './enclave-keys.ts';
import type { KeyFolder, StoredKeySet } from './key-folder.ts';
import type { KeyRecords } from './key-records.ts';
import { type KeySetFiles, signersOf } from './stored-set.ts';

/** Actions that make no set. */
const WITHOUT_SET: ReadonlySet<KeyAction['kind']> = new Set(['rotate-tls']);

export interface ChangingDeps {
  readonly folder: KeyFolder;
  readonly enclave: EnclaveKeys;
  readonly records: KeyRecords;
}

export type Changed =
  | { readonly kind: 'made'; readonly files: KeySetFiles; readonly stored: StoredKeySet }
  | { readonly kind: 'changed'; readonly what: string };

/**
 * @param request JSON of a DSSE envelope
 * @param newest the set on disk that is to be in use
 * @throws KeyError KEY_REQUEST_INVALID; ReportedError: the enclave refuses; HostProxyError HOST_KEYS_NOT_TAKEN, HOST_KEYS_AUDIT,
 * HOST_KEYS_WRITE, HOST_ATTESTATION_UNANSWERED
 */
export async function changeKeys(
  { folder, enclave, records }: ChangingDeps,
  request: Buffer,
  newest: StoredKeySet | undefined,
  signal: AbortSignal,
): Promise<Changed> {
  const { content, payload, envelope } = readKeyRequest(request);
  const sha256 = createHash('sha256').update(payload).digest('hex');
  const { kind: action } = content.action;
  if (!WITHOUT_SET.has(action)) await requireInUse(enclave, newest, signal);
  await records.approved({ action, request: sha256, approvedBy: [...signersOf(envelope)] });
  const answer = await enclave.change(request, signal).catch(async (error: unknown) => {
    if (error instanceof ReportedError) await records.denied(sha256, error);
    throw error;
  });
  if ('changed' in answer) {
    await records.changed(sha256, answer.changed);
    return { kind: 'changed', what: answer.changed };
  }
  const stored = await folder.store(answer.made);
  await records.made(stored);
  return { kind: 'made', files: answer.made, stored };
}

/** @throws HostProxyError HOST_KEYS_NOT_TAKEN */
async function requireInUse(
  enclave: EnclaveKeys,
  newest: StoredKeySet | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { taken } = await enclave.status(signal);
  if (newest?.sha256 === taken?.sha256) return;
  const name = (set: { readonly generation: number; readonly sha256: string } | undefined) =>
    set === undefined ? 'none' : `generation ${set.generation}, ${set.sha256}`;
  throw new HostProxyError('HOST_KEYS_NOT_TAKEN', 'the enclave does not work with the newest key set on disk', {
    found: name(taken),
    allowed: name(newest),
  });
}
