/**
 * The master key in a key set: AES-256-GCM under the data key, with everything else of the set as associated data. Whoever has not the data
 * key can make none that opens, and can exchange nothing in one: not a file, not the generation, not the encryption context.
 * Specification: docs/specs/key-sets.md. A data key seals one master key.
 */
import type { Random } from '../../runtime/random.ts';
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { KeyError } from '../errors.ts';
import { boundPart, type KeySet } from './key-set.ts';
import { openBytes, sealBytes, sealedLength } from './sealed-bytes.ts';

const MASTER_KEY_BYTES = 32;

/** @param dataKey 32 bytes, used for nothing else @returns the whole set */
export function sealMasterKey(
  set: Omit<KeySet, 'masterKey'>,
  {
    masterKey,
    dataKey,
    random,
  }: { readonly masterKey: SecretBuffer; readonly dataKey: SecretBuffer; readonly random: Random },
): KeySet {
  const sealed = sealBytes(masterKey, { key: dataKey, bound: boundPart({ ...set, masterKey: '' }), random });
  return { ...set, masterKey: sealed.toString('base64') };
}

/** @returns 32 bytes; the caller disposes them. @throws KeyError KEY_SET_UNSEALABLE */
export function openMasterKey(set: KeySet, dataKey: SecretBuffer): SecretBuffer {
  const sealed = Buffer.from(set.masterKey, 'base64');
  const isSized = sealed.length === sealedLength(MASTER_KEY_BYTES);
  const masterKey = isSized ? openBytes(sealed, { key: dataKey, bound: boundPart(set) }) : undefined;
  if (masterKey !== undefined) return masterKey;
  throw new KeyError('KEY_SET_UNSEALABLE', 'the master key does not open with the data key of the set');
}
