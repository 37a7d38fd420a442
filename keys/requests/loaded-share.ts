/**
 * An operator's share of a data key on its way to one boot of one enclave: HPKE (keys/requests/hpke.ts) to the public key in the
 * attestation document that the operator has verified. `info` names the enclave, what it commits to, the nonce of that document, and the
 * key set: the share opens nothing else. Who sends it is not signed: nobody else has a share with the hash that stands in the set.
 * Specification: docs/specs/key-sets.md, 6.
 */
import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { KeeperError } from '../keepers/errors.ts';
import { SHARE_BYTES, X25519_KEY_BYTES } from '../set/kept-by.ts';
import { type HpkeBinding, hpkeOpen, hpkeSeal } from './hpke.ts';

const TAG_BYTES = 16;

const hex = (digits: number) => z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`));
const encoded = (maxBytes: number) => z.base64().max(4 * Math.ceil(maxBytes / 3));

const loadedShare = z.strictObject({
  version: z.literal(1),
  operator: z.string().max(63),
  /** Hash of the key set. */
  keySet: hex(64),
  /** `name` of enclave.yaml. */
  enclave: z.string().max(63),
  /** To the runtime statement: 48 bytes. */
  commitment: hex(96),
  /** Of the document that the operator has verified: 32 bytes. */
  nonce: hex(64),
  encapsulated: encoded(X25519_KEY_BYTES),
  ciphertext: encoded(SHARE_BYTES + TAG_BYTES),
});
export type LoadedShare = z.infer<typeof loadedShare>;

export type ShareContext = Pick<LoadedShare, 'operator' | 'keySet' | 'enclave' | 'commitment' | 'nonce'>;

function bindingOf({ operator, keySet, enclave, commitment, nonce }: ShareContext): HpkeBinding {
  return { info: { domain: 'acra-enclave loaded share v1', enclave, commitment, nonce, keySet }, whose: operator };
}

/** @param enclaveKey X25519, 32 raw bytes, from a document that was verified. @throws KeeperError KEY_SHARE_UNSEALABLE */
export async function sealShareFor(
  enclaveKey: Buffer,
  { operator, keySet, enclave, commitment, nonce }: ShareContext,
  share: SecretBuffer,
): Promise<LoadedShare> {
  const context = { operator, keySet, enclave, commitment, nonce };
  try {
    return { version: 1, ...context, ...(await hpkeSeal(enclaveKey, share, bindingOf(context))) };
  } catch (cause) {
    throw new KeeperError('KEY_SHARE_UNSEALABLE', 'the share cannot be encrypted to this key of an enclave', { cause });
  }
}

/** @throws KeeperError KEY_SHARE_INVALID */
export function readLoadedShare(file: Buffer): LoadedShare {
  const invalid = (cause: unknown, found?: string) =>
    new KeeperError('KEY_SHARE_INVALID', 'this is no share of an operator', {
      cause,
      ...(found === undefined ? {} : { found }),
    });
  let json: unknown;
  try {
    json = JSON.parse(file.toString('utf8'));
  } catch (cause) {
    throw invalid(cause);
  }
  const parsed = loadedShare.safeParse(json);
  if (parsed.success) return parsed.data;
  throw invalid(undefined, z.prettifyError(parsed.error));
}

/** @param privateKey of this boot. @throws KeeperError KEY_SHARE_UNSEALABLE: it was sealed for another boot or set, or changed */
export async function openLoadedShare(privateKey: KeyObject, loaded: LoadedShare): Promise<SecretBuffer> {
  try {
    return await hpkeOpen(privateKey, loaded, bindingOf(loaded));
  } catch (cause) {
    const message = `the share of ${loaded.operator} does not open in this boot of this enclave`;
    throw new KeeperError('KEY_SHARE_UNSEALABLE', message, { cause });
  }
}
