/**
 * Makes a key set, as operators ask: the first one, or the next one from that in use. Nothing changes in the enclave by it. What is handed out
 * was opened before as if it had been brought, so that a set is never kept that could not be taken.
 * Specification: docs/specs/key-sets.md, 1 to 3.
 */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { EncryptorConfig } from '../../acra/encryptor-config/schema.ts';
import type { StatedRuntime } from '../../attestation/runtime/state-runtime.ts';
import type { KeyKeeper } from '../../keys/keepers/keeper.ts';
import type { KeyAction, KeyRequest, SignedKeyRequest } from '../../keys/requests/key-request.ts';
import { openSealedSecret } from '../../keys/requests/sealed-secret.ts';
import { decodeKeySet, encodeKeySet, type KeySet, keySetDigest } from '../../keys/set/key-set.ts';
import { sealMasterKey } from '../../keys/set/master-key.ts';
import { encodeTranscriptData, type Transcript } from '../../keys/set/transcript.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { EnclaveKey } from '../attestation/enclave-key.ts';
import { carryOut, type MadeParts } from './carry-out.ts';
import type { Brought } from './judge-set.ts';
import { planCeremony } from './plans/ceremony.ts';
import type { Plan, PlanDeps } from './plans/plan.ts';
import { planChange } from './plans/plan-change.ts';
import { type KeySetDeps, openParts, type TakenKeys } from './take-set.ts';

/** What makes a set; `rotate-tls` makes none. */
export type SetAction = Exclude<KeyAction, { kind: 'rotate-tls' }>;

export interface MakeSetDeps extends KeySetDeps {
  readonly keeper: Pick<KeyKeeper, 'create'>;
  readonly stated: Pick<StatedRuntime, 'commitment'>;
  readonly enclaveKey: EnclaveKey;
  readonly clock: Clock;
  readonly encryptorConfig: EncryptorConfig;
}

export interface MadeSet extends Brought {
  readonly generation: number;
  readonly sha256: string;
}

/** What operators have signed, as it came. */
export interface Approved {
  readonly request: SignedKeyRequest;
  /** JSON of the envelope. */
  readonly file: Buffer;
}

/**
 * @param having the set in use; undefined for a ceremony, which the caller has allowed
 * @throws KeyError; KeystoreError; CodedError of the keeper; NsmError; the signal's reason
 */
export async function makeKeySet(
  { request, file }: Approved,
  action: SetAction,
  having: TakenKeys | undefined,
  deps: MakeSetDeps,
  signal: AbortSignal,
): Promise<MadeSet> {
  const folder = await mkdtemp(join(deps.folder, 'making-'));
  try {
    const { random, clock, config } = deps;
    const { keystoreMs: timeoutMs } = config.deadlines;
    const plan = await planOf(request.content, action, having, deps);
    const parts = await carryOut(plan, { having, folder, random, clock, signal, timeoutMs });
    using _ = parts.masterKey;
    const keyIds = await requireOpens(parts, folder, deps, signal);
    const made = await sealSet({ ...parts, keyIds }, having, deps, signal);
    const transcript = await attestSet(made.sha256, request, file, deps);
    return { ...made, transcript };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function planOf(
  request: KeyRequest,
  action: SetAction,
  having: TakenKeys | undefined,
  { config, encryptorConfig, random, enclaveKey }: MakeSetDeps,
): Promise<Plan> {
  const open: PlanDeps['open'] = (secret) => openSealedSecret(enclaveKey.privateKey, request, secret);
  const deps = { config, tables: encryptorConfig.tables, random, open };
  if (action.kind === 'ceremony') return planCeremony(action, deps);
  return planChange(action, having?.set ?? { keystore: [], secrets: [] }, deps);
}

/** @returns the ids of the keys, as whoever is brought the set finds them */
async function requireOpens(
  parts: MadeParts,
  folder: string,
  deps: MakeSetDeps,
  signal: AbortSignal,
): Promise<KeySet['keyIds']> {
  const trial = await mkdtemp(join(folder, 'trial-'));
  const { keyIds, dispose } = await openParts(parts, parts.masterKey, trial, deps, signal);
  dispose();
  return keyIds;
}

async function sealSet(
  { masterKey, ...parts }: MadeParts & Pick<KeySet, 'keyIds'>,
  having: TakenKeys | undefined,
  { config, keeper, random }: MakeSetDeps,
  signal: AbortSignal,
): Promise<Omit<MadeSet, 'transcript'>> {
  const generation = (having?.set.generation ?? 0) + 1;
  const previous = having?.sha256 ?? null;
  const { dataKey, keeper: keptBy } = await keeper.create(generation, signal);
  using _ = dataKey;
  const rest = { version: 1, name: config.name, generation, previous, keeper: keptBy, ...parts } as const;
  const keySet = encodeKeySet(sealMasterKey(rest, { masterKey, dataKey, random }));
  // As whoever is brought it reads it.
  decodeKeySet(keySet);
  return { keySet, generation, sha256: keySetDigest(keySet) };
}

/** @returns JSON */
async function attestSet(
  sha256: string,
  { content, payload }: SignedKeyRequest,
  file: Buffer,
  { nsm, stated, enclaveKey }: MakeSetDeps,
): Promise<Buffer> {
  const userData = encodeTranscriptData({
    commitment: stated.commitment,
    keySetSha256: Buffer.from(sha256, 'hex'),
    requestSha256: createHash('sha256').update(payload).digest(),
  });
  const nonce = Buffer.from(content.nonce, 'hex');
  const document = await nsm.attest({ nonce, userData, publicKey: enclaveKey.publicKey });
  const transcript: Transcript = {
    version: 1,
    document: document.toString('base64'),
    request: file.toString('base64'),
  };
  return Buffer.from(JSON.stringify(transcript));
}
