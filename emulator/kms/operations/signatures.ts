/** Sign and Verify (KMS API reference), of messages; the emulator takes no digests. */
import type { SignKeyObjectInput, VerifyKeyObjectInput } from 'node:crypto';
import { constants, createPublicKey, sign as signWith, verify as verifyWith } from 'node:crypto';
import { z } from 'zod';
import type { Call } from '../call.ts';
import type { KmsKey } from '../key-store.ts';
import { ServiceError } from '../service-error.ts';
import { blob, keyIdSchema, operation } from './input.ts';
import { privateKeyOf, requireAlgorithm } from './public-keys.ts';

const MAX_MESSAGE_BYTES = 4096;
const MAX_SIGNATURE_BYTES = 6144;

const fields = {
  KeyId: keyIdSchema,
  Message: blob(1, MAX_MESSAGE_BYTES),
  MessageType: z.enum(['RAW', 'DIGEST', 'EXTERNAL_MU']).default('RAW'),
  SigningAlgorithm: z.string(),
};
interface Input {
  readonly KeyId: string;
  readonly MessageType: string;
  readonly SigningAlgorithm: string;
}

function keyFor(call: Call, { KeyId, MessageType, SigningAlgorithm }: Input): KmsKey {
  const key = call.findKey(KeyId);
  call.authorize({ key });
  call.requireFit(key, 'SIGN_VERIFY');
  requireAlgorithm(key, SigningAlgorithm);
  if (MessageType === 'RAW') return key;
  throw new ServiceError('UnsupportedOperationException', 'The emulator signs and verifies messages, not digests');
}

/** KMS: the salt of PSS is as long as the digest. */
function padded(algorithm: string): Pick<SignKeyObjectInput & VerifyKeyObjectInput, 'padding' | 'saltLength'> {
  return algorithm.startsWith('RSASSA_PSS')
    ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    : {};
}

const digestOf = (algorithm: string): string => algorithm.replace(/^.*SHA_/, 'sha');

export const sign = operation(z.object(fields), async (call, input) => {
  const { SigningAlgorithm, Message } = input;
  const key = keyFor(call, input);
  const signature = signWith(digestOf(SigningAlgorithm), Message, {
    key: privateKeyOf(key),
    ...padded(SigningAlgorithm),
  });
  return { KeyId: key.arn, Signature: signature.toString('base64'), SigningAlgorithm };
});

export const verify = operation(
  z.object({ ...fields, Signature: blob(1, MAX_SIGNATURE_BYTES) }),
  async (call, input) => {
    const { SigningAlgorithm, Message, Signature } = input;
    const key = keyFor(call, input);
    const publicKey = createPublicKey(privateKeyOf(key));
    if (!verifyWith(digestOf(SigningAlgorithm), Message, { key: publicKey, ...padded(SigningAlgorithm) }, Signature))
      throw new ServiceError('KMSInvalidSignatureException', 'The signature is not valid');
    return { KeyId: key.arn, SignatureValid: true, SigningAlgorithm };
  },
);
