/**
 * A secret on its way from an operator to one boot of one enclave: HPKE (keys/requests/hpke.ts) to the public key in the enclave's
 * attestation document. `info` names the enclave, what it commits to and the request's nonce, the associated data names whose secret it is:
 * it opens nowhere else and stands for nothing else. Specification: docs/specs/key-sets.md.
 */
import type { KeyObject } from 'node:crypto';
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { KeyError } from '../errors.ts';
import { type HpkeBinding, hpkeOpen, hpkeSeal } from './hpke.ts';
import type { KeyRequest, SealedSecret } from './key-request.ts';

/** What the sender and the enclave must agree in. */
export type SecretContext = Pick<KeyRequest, 'enclave' | 'commitment' | 'nonce'>;

function bindingOf({ enclave, commitment, nonce }: SecretContext, user: string): HpkeBinding {
  return { info: { domain: 'acra-enclave sealed secret v1', enclave, commitment, nonce }, whose: user };
}

/** @param enclaveKey X25519, 32 raw bytes, from a document that was verified. @throws KeyError KEY_SECRET_UNSEALABLE */
export async function sealSecretFor(
  enclaveKey: Buffer,
  context: SecretContext,
  user: string,
  secret: SecretBuffer,
): Promise<SealedSecret> {
  try {
    return { user, ...(await hpkeSeal(enclaveKey, secret, bindingOf(context, user))) };
  } catch (cause) {
    throw new KeyError('KEY_SECRET_UNSEALABLE', 'the secret cannot be encrypted to this key of an enclave', { cause });
  }
}

/** @param privateKey of this boot. @throws KeyError KEY_SECRET_UNSEALABLE: it was sealed for another boot, request or user, or changed */
export async function openSealedSecret(
  privateKey: KeyObject,
  context: SecretContext,
  { user, ...message }: SealedSecret,
): Promise<SecretBuffer> {
  try {
    return await hpkeOpen(privateKey, message, bindingOf(context, user));
  } catch (cause) {
    throw new KeyError('KEY_SECRET_UNSEALABLE', `the secret of ${user} does not open in this boot of this enclave`, {
      cause,
    });
  }
}
