/** GenerateDataKey and GenerateRandom (KMS API reference). */
import { z } from 'zod';
import { sealBlob } from '../ciphertext-blob.ts';
import { checkContext } from '../encryption-context.ts';
import { secretFields } from '../secret-answer.ts';
import { encryptionContextSchema, keyIdSchema, operation, recipientSchema } from './input.ts';

const MAX_GENERATED_BYTES = 1024;
const KEY_SPEC_BYTES = { AES_256: 32, AES_128: 16 } as const;

const numberOfBytes = z.int().min(1).max(MAX_GENERATED_BYTES);

export const generateDataKey = operation(
  z
    .object({
      KeyId: keyIdSchema,
      KeySpec: z.enum(['AES_256', 'AES_128']).optional(),
      NumberOfBytes: numberOfBytes.optional(),
      EncryptionContext: encryptionContextSchema,
      Recipient: recipientSchema,
    })
    .refine(
      (input) => (input.KeySpec === undefined) !== (input.NumberOfBytes === undefined),
      'give either KeySpec or NumberOfBytes',
    ),
  async (call, input) => {
    const { EncryptionContext: encryptionContext } = input;
    call.facts.encryptionContext = encryptionContext;
    checkContext(encryptionContext);
    const recipient = input.Recipient && call.authenticateRecipient(input.Recipient.AttestationDocument);
    const key = call.findKey(input.KeyId);
    call.authorize({ key, recipient, encryptionContext });
    call.requireEnabled(key);
    const { random } = call.dependencies;
    const dataKey = random.bytes(input.NumberOfBytes ?? KEY_SPEC_BYTES[input.KeySpec ?? 'AES_256']);
    const sealed = sealBlob(key, encryptionContext, dataKey, random);
    const secret = secretFields(call, recipient, dataKey);
    dataKey.fill(0);
    return { KeyId: key.arn, CiphertextBlob: sealed.toString('base64'), ...secret };
  },
);

/** Concerns no key, so no key policy: the role's IAM policies decide. */
export const generateRandom = operation(
  z.object({ NumberOfBytes: numberOfBytes, Recipient: recipientSchema }),
  async (call, input) => {
    const recipient = input.Recipient && call.authenticateRecipient(input.Recipient.AttestationDocument);
    call.authorizeWithoutKey(recipient);
    const bytes = call.dependencies.random.bytes(input.NumberOfBytes);
    const secret = secretFields(call, recipient, bytes);
    bytes.fill(0);
    return { ...secret };
  },
);
