/** GenerateMac and VerifyMac (KMS API reference). */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { Call } from '../call.ts';
import type { KmsKey } from '../key-store.ts';
import { ServiceError } from '../service-error.ts';
import { blob, keyIdSchema, operation } from './input.ts';
import { requireAlgorithm } from './public-keys.ts';

const MAX_MESSAGE_BYTES = 4096;
const fields = { KeyId: keyIdSchema, Message: blob(1, MAX_MESSAGE_BYTES), MacAlgorithm: z.string() };

function codeOf(call: Call, key: KmsKey, message: Buffer, algorithm: string): Buffer {
  call.authorize({ key });
  call.requireFit(key, 'GENERATE_VERIFY_MAC');
  requireAlgorithm(key, algorithm);
  return createHmac(algorithm.replace('HMAC_SHA_', 'sha'), key.material).update(message).digest();
}

export const generateMac = operation(z.object(fields), async (call, input) => {
  const key = call.findKey(input.KeyId);
  const mac = codeOf(call, key, input.Message, input.MacAlgorithm);
  return { Mac: mac.toString('base64'), MacAlgorithm: input.MacAlgorithm, KeyId: key.arn };
});

export const verifyMac = operation(z.object({ ...fields, Mac: blob(1, MAX_MESSAGE_BYTES) }), async (call, input) => {
  const key = call.findKey(input.KeyId);
  const mac = codeOf(call, key, input.Message, input.MacAlgorithm);
  if (mac.length !== input.Mac.length || !timingSafeEqual(mac, input.Mac))
    throw new ServiceError('KMSInvalidMacException', 'The MAC is not valid');
  return { MacValid: true, MacAlgorithm: input.MacAlgorithm, KeyId: key.arn };
});
