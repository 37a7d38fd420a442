/** GenerateDataKey, GenerateDataKeyWithoutPlaintext and GenerateRandom (KMS API reference). */
import { z } from 'zod';
import type { Call } from '../call.ts';
import { sealBlob } from '../ciphertext-blob.ts';
import type { EncryptionContext } from '../encryption-context.ts';
import { checkContext } from '../encryption-context.ts';
import type { Recipient } from '../recipient.ts';
import { secretFields } from '../secret-answer.ts';
import { encryptionContextSchema, keyIdSchema, operation, recipientSchema } from './input.ts';

const MAX_GENERATED_BYTES = 1024;
const KEY_SPEC_BYTES = { AES_256: 32, AES_128: 16 } as const;

const numberOfBytes = z.int().min(1).max(MAX_GENERATED_BYTES);

const hasOneSize = (input: { KeySpec?: unknown; NumberOfBytes?: unknown }): boolean =>
  (input.KeySpec === undefined) !== (input.NumberOfBytes === undefined);
const ONE_SIZE = 'give either KeySpec or NumberOfBytes';

const dataKeyFields = {
  KeyId: keyIdSchema,
  KeySpec: z.enum(['AES_256', 'AES_128']).optional(),
  NumberOfBytes: numberOfBytes.optional(),
  EncryptionContext: encryptionContextSchema,
};
interface DataKeyInput {
  readonly KeyId: string;
  readonly KeySpec?: keyof typeof KEY_SPEC_BYTES | undefined;
  readonly NumberOfBytes?: number | undefined;
  readonly EncryptionContext: EncryptionContext;
}

function makeDataKey(call: Call, input: DataKeyInput, recipient?: Recipient) {
  const { EncryptionContext: encryptionContext } = input;
  call.facts.encryptionContext = encryptionContext;
  checkContext(encryptionContext);
  const key = call.findKey(input.KeyId);
  call.authorize({ key, recipient, encryptionContext });
  call.requireFit(key);
  const { random } = call.dependencies;
  const dataKey = random.bytes(input.NumberOfBytes ?? KEY_SPEC_BYTES[input.KeySpec ?? 'AES_256']);
  const sealed = sealBlob(key, encryptionContext, dataKey, random);
  return { dataKey, told: { KeyId: key.arn, CiphertextBlob: sealed.toString('base64') } };
}

export const generateDataKey = operation(
  z.object({ ...dataKeyFields, Recipient: recipientSchema }).refine(hasOneSize, ONE_SIZE),
  async (call, input) => {
    const recipient = input.Recipient && call.authenticateRecipient(input.Recipient.AttestationDocument);
    const { dataKey, told } = makeDataKey(call, input, recipient);
    const secret = secretFields(call, recipient, dataKey);
    dataKey.fill(0);
    return { ...told, ...secret };
  },
);

/** 32 bytes unless the request says otherwise. */
export const generateDataKeyWithoutPlaintext = operation(z.object(dataKeyFields), async (call, input) => {
  const { dataKey, told } = makeDataKey(call, input);
  dataKey.fill(0);
  return told;
});

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
