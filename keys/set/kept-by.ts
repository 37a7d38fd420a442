/**
 * Who holds the data key under which a set's master key lies: one KMS key, several of which some are enough, or operators of whom some
 * are. Shares are those of Shamir's scheme; the hash of each stands in the set, so that a wrong one is told by name before it counts.
 * Specification: docs/specs/key-sets.md, 1 and 6.
 */
import { z } from 'zod';
import { MAX_KEY_SHARES, MIN_KEY_SHARES } from '../../wire/requests/bounds.ts';
import { sealedLength } from './sealed-bytes.ts';

/** CiphertextBlob of KMS. */
const MAX_CIPHERTEXT_BYTES = 6_144;
export const DATA_KEY_BYTES = 32;
/** Of a data key: y for each byte, and x. */
export const SHARE_BYTES: number = DATA_KEY_BYTES + 1;
const TAG_BYTES = 16;
export const X25519_KEY_BYTES = 32;

const encoded = (maxBytes: number) => z.base64().max(4 * Math.ceil(maxBytes / 3));
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const text = z.string().max(4_096);
const needed = z.int().min(MIN_KEY_SHARES).max(MAX_KEY_SHARES);

const kmsDataKey = {
  keyArn: text,
  /** What KMS was told when the data key was made: that of enclave.yaml, and GENERATION_CONTEXT. */
  encryptionContext: z.record(text, text),
  /** CiphertextBlob of GenerateDataKey. */
  dataKey: encoded(MAX_CIPHERTEXT_BYTES),
};

const kmsKeeper = z.strictObject({ kind: z.literal('kms'), ...kmsDataKey });

/** One share of the data key, under a data key of this KMS key. */
const kmsShare = z.strictObject({
  ...kmsDataKey,
  sealed: encoded(sealedLength(SHARE_BYTES)),
  /** Of the share. */
  sha256,
});

const thresholdKeeper = z.strictObject({
  kind: z.literal('threshold'),
  /** So many shares open the data key. */
  k: needed,
  /** By keyArn. */
  shares: z.array(kmsShare).min(MIN_KEY_SHARES).max(MAX_KEY_SHARES),
});

/** One share of the data key, encrypted by HPKE to an operator's key. */
const operatorShare = z.strictObject({
  /** Of `keys.operators`. */
  operator: z.string().max(63),
  /** X25519, the public key to which it is encrypted. */
  recipient: encoded(X25519_KEY_BYTES),
  encapsulated: encoded(X25519_KEY_BYTES),
  ciphertext: encoded(SHARE_BYTES + TAG_BYTES),
  /** Of the share. */
  sha256,
});

const operatorsKeeper = z.strictObject({
  kind: z.literal('operators'),
  k: needed,
  /** By operator. */
  shares: z.array(operatorShare).min(MIN_KEY_SHARES).max(MAX_KEY_SHARES),
});

export const keptBy = z.discriminatedUnion('kind', [kmsKeeper, thresholdKeeper, operatorsKeeper]);
export type KeptBy = z.infer<typeof keptBy>;
export type KmsShare = z.infer<typeof kmsShare>;
export type OperatorShare = z.infer<typeof operatorShare>;

/** What a schema cannot say: enough shares, each holder once, in order. @returns the fault, for people */
export function keeperFault(keeper: KeptBy): string | undefined {
  if (keeper.kind === 'kms') return undefined;
  const { k, shares } = keeper;
  if (k > shares.length) return `${k} of ${shares.length} shares are needed`;
  const holders = shares.map((share) => ('operator' in share ? share.operator : share.keyArn));
  const at = holders.findIndex((holder, index) => index > 0 && holder <= (holders[index - 1] ?? ''));
  return at === -1 ? undefined : `the share of ${holders[at]} is not in order, or there twice`;
}
