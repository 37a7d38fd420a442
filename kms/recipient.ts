/**
 * The key pair to which KMS encrypts its answers. The private half never leaves this process; the public half is vouched
 * for by an attestation document of its own for each request.
 * Specification: nitro-formats 3.7 (RSA-2048, e = 65537, RSAES_OAEP_SHA_256).
 */
import type { KeyObject } from 'node:crypto';
import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import type { NsmProvider } from '../attestation/nsm/provider.ts';

const MODULUS_BITS = 2048;
const PUBLIC_EXPONENT = 65537;

export interface RecipientKey {
  /** DER SubjectPublicKeyInfo. */
  readonly publicKeyDer: Buffer;
  readonly privateKey: KeyObject;
}

export async function makeRecipientKey(): Promise<RecipientKey> {
  const options = { modulusLength: MODULUS_BITS, publicExponent: PUBLIC_EXPONENT };
  const { publicKey, privateKey } = await promisify(generateKeyPair)('rsa', options);
  return { publicKeyDer: publicKey.export({ type: 'spki', format: 'der' }), privateKey };
}

/** The `Recipient` member of a request, with a fresh document. */
export async function attestRecipient(
  nsm: NsmProvider,
  key: RecipientKey,
): Promise<{ KeyEncryptionAlgorithm: 'RSAES_OAEP_SHA_256'; AttestationDocument: Buffer }> {
  const document = await nsm.attest({ publicKey: key.publicKeyDer });
  return { KeyEncryptionAlgorithm: 'RSAES_OAEP_SHA_256', AttestationDocument: document };
}
