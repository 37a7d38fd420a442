/** GenerateDataKeyPair and GenerateDataKeyPairWithoutPlaintext (KMS API reference). */
import { z } from 'zod';
import type { Call } from '../call.ts';
import { sealBlob } from '../ciphertext-blob.ts';
import type { EncryptionContext } from '../encryption-context.ts';
import { checkContext } from '../encryption-context.ts';
import type { KeySpec } from '../key-kinds.ts';
import { KEY_PAIR_SPECS, makeKeyPair } from '../key-kinds.ts';
import type { Recipient } from '../recipient.ts';
import { secretFields } from '../secret-answer.ts';
import { encryptionContextSchema, keyIdSchema, operation, recipientSchema } from './input.ts';

const fields = {
  KeyId: keyIdSchema,
  KeyPairSpec: z.enum(KEY_PAIR_SPECS),
  EncryptionContext: encryptionContextSchema,
};
interface Input {
  readonly KeyId: string;
  readonly KeyPairSpec: KeySpec;
  readonly EncryptionContext: EncryptionContext;
}

async function makePair(call: Call, input: Input, recipient?: Recipient) {
  const { EncryptionContext: encryptionContext, KeyPairSpec } = input;
  call.facts.encryptionContext = encryptionContext;
  checkContext(encryptionContext);
  const key = call.findKey(input.KeyId);
  call.authorize({ key, recipient, encryptionContext });
  call.requireFit(key);
  const { privateKey, publicKey } = await makeKeyPair(KeyPairSpec);
  const sealed = sealBlob(key, encryptionContext, privateKey, call.dependencies.random);
  const told = {
    KeyId: key.arn,
    KeyPairSpec,
    PublicKey: publicKey.toString('base64'),
    PrivateKeyCiphertextBlob: sealed.toString('base64'),
  };
  return { privateKey, told };
}

export const generateDataKeyPair = operation(
  z.object({ ...fields, Recipient: recipientSchema }),
  async (call, input) => {
    const recipient = input.Recipient && call.authenticateRecipient(input.Recipient.AttestationDocument);
    const { privateKey, told } = await makePair(call, input, recipient);
    const secret = secretFields(call, recipient, privateKey, 'PrivateKeyPlaintext');
    privateKey.fill(0);
    return { ...told, ...secret };
  },
);

export const generateDataKeyPairWithoutPlaintext = operation(z.object(fields), async (call, input) => {
  const { privateKey, told } = await makePair(call, input);
  privateKey.fill(0);
  return told;
});
