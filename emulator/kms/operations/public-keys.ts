/** GetPublicKey and DeriveSharedSecret (KMS API reference); what asymmetric keys have in common. */
import type { KeyObject } from 'node:crypto';
import { createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto';
import { z } from 'zod';
import { KEY_KINDS } from '../key-kinds.ts';
import type { KmsKey } from '../key-store.ts';
import { secretFields } from '../secret-answer.ts';
import { ServiceError } from '../service-error.ts';
import { blob, keyIdSchema, operation, recipientSchema } from './input.ts';
import { algorithmsOf } from './keys.ts';

const MAX_PUBLIC_KEY_BYTES = 8192;

/** @throws ServiceError InvalidKeyUsageException */
export function requireAlgorithm({ arn, keySpec }: KmsKey, algorithm: string): void {
  const algorithms: readonly string[] = KEY_KINDS[keySpec].algorithms;
  if (algorithms.includes(algorithm)) return;
  throw new ServiceError(
    'InvalidKeyUsageException',
    `Algorithm ${algorithm} is incompatible with the key spec of ${arn}`,
  );
}

export function privateKeyOf({ material }: KmsKey): KeyObject {
  return createPrivateKey({ key: material, format: 'der', type: 'pkcs8' });
}

export const getPublicKey = operation(z.object({ KeyId: keyIdSchema }), async (call, input) => {
  const key = call.findKey(input.KeyId);
  call.authorize({ key });
  if (KEY_KINDS[key.keySpec].material.kind === 'bytes')
    throw new ServiceError('UnsupportedOperationException', `${key.arn} has no public key`);
  call.requireFit(key, key.keyUsage);
  const spki = createPublicKey(privateKeyOf(key)).export({ format: 'der', type: 'spki' });
  return {
    KeyId: key.arn,
    PublicKey: spki.toString('base64'),
    KeySpec: key.keySpec,
    CustomerMasterKeySpec: key.keySpec,
    KeyUsage: key.keyUsage,
    ...algorithmsOf(key),
  };
});

function othersKey(der: Buffer, own: KeyObject): KeyObject {
  try {
    const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
    const curve = key.asymmetricKeyDetails?.namedCurve;
    if (curve !== undefined && curve === own.asymmetricKeyDetails?.namedCurve) return key;
  } catch {
    // As for a key of another curve.
  }
  throw new ServiceError('ValidationException', 'PublicKey is no DER SubjectPublicKeyInfo on the curve of the KMS key');
}

export const deriveSharedSecret = operation(
  z.object({
    KeyId: keyIdSchema,
    KeyAgreementAlgorithm: z.literal('ECDH'),
    PublicKey: blob(1, MAX_PUBLIC_KEY_BYTES),
    Recipient: recipientSchema,
  }),
  async (call, input) => {
    const recipient = input.Recipient && call.authenticateRecipient(input.Recipient.AttestationDocument);
    const key = call.findKey(input.KeyId);
    call.authorize({ key, recipient });
    call.requireFit(key, 'KEY_AGREEMENT');
    const privateKey = privateKeyOf(key);
    const shared = diffieHellman({ privateKey, publicKey: othersKey(input.PublicKey, privateKey) });
    const secret = secretFields(call, recipient, shared, 'SharedSecret');
    shared.fill(0);
    return { KeyId: key.arn, KeyAgreementAlgorithm: 'ECDH', KeyOrigin: 'AWS_KMS', ...secret };
  },
);
