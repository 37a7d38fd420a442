/** Encrypt, Decrypt and ReEncrypt (KMS API reference). */
import { z } from 'zod';
import type { Call } from '../call.ts';
import { keyIdOfBlob, openBlob, sealBlob } from '../ciphertext-blob.ts';
import { checkContext } from '../encryption-context.ts';
import type { KmsKey } from '../key-store.ts';
import { secretFields } from '../secret-answer.ts';
import { ServiceError } from '../service-error.ts';
import { algorithmSchema, blob, encryptionContextSchema, keyIdSchema, operation, recipientSchema } from './input.ts';

const ALGORITHM = 'SYMMETRIC_DEFAULT';
const MAX_PLAINTEXT_BYTES = 4096;
const MAX_BLOB_BYTES = 6144;

export const encrypt = operation(
  z.object({
    KeyId: keyIdSchema,
    Plaintext: blob(1, MAX_PLAINTEXT_BYTES),
    EncryptionContext: encryptionContextSchema,
    EncryptionAlgorithm: algorithmSchema,
  }),
  async (call, input) => {
    const { EncryptionContext: encryptionContext, Plaintext: plaintext } = input;
    call.facts.encryptionContext = encryptionContext;
    checkContext(encryptionContext);
    const key = call.findKey(input.KeyId);
    call.authorize({ key, encryptionContext });
    call.requireFit(key);
    const sealed = sealBlob(key, encryptionContext, plaintext, call.dependencies.random);
    plaintext.fill(0);
    return { CiphertextBlob: sealed.toString('base64'), KeyId: key.arn, EncryptionAlgorithm: ALGORITHM };
  },
);

/** The key that made the blob; it must be the one that the caller named, if one was named. */
function keyOfBlob(call: Call, ciphertext: Buffer, reference: string | undefined): KmsKey {
  const keyId = keyIdOfBlob(ciphertext);
  const named = reference === undefined ? undefined : call.findKey(reference);
  if (named !== undefined && named.keyId !== keyId) {
    throw new ServiceError(
      'IncorrectKeyException',
      'The key that was named is not the one that encrypted this ciphertext',
    );
  }
  if (!call.dependencies.keys.has(keyId))
    throw call.denied(keyId, 'the ciphertext was made under a key that is not here');
  return call.findKey(keyId);
}

export const decrypt = operation(
  z.object({
    CiphertextBlob: blob(1, MAX_BLOB_BYTES),
    KeyId: keyIdSchema.optional(),
    EncryptionContext: encryptionContextSchema,
    EncryptionAlgorithm: algorithmSchema,
    Recipient: recipientSchema,
  }),
  async (call, input) => {
    const { EncryptionContext: encryptionContext, CiphertextBlob: ciphertext } = input;
    call.facts.encryptionContext = encryptionContext;
    checkContext(encryptionContext);
    const recipient = input.Recipient && call.authenticateRecipient(input.Recipient.AttestationDocument);
    const key = keyOfBlob(call, ciphertext, input.KeyId);
    call.authorize({ key, recipient, encryptionContext });
    call.requireFit(key);
    const plaintext = openBlob(key, encryptionContext, ciphertext);
    const secret = secretFields(call, recipient, plaintext);
    plaintext.fill(0);
    return { KeyId: key.arn, EncryptionAlgorithm: ALGORITHM, ...secret };
  },
);

export const reEncrypt = operation(
  z.object({
    CiphertextBlob: blob(1, MAX_BLOB_BYTES),
    SourceKeyId: keyIdSchema.optional(),
    SourceEncryptionContext: encryptionContextSchema,
    SourceEncryptionAlgorithm: algorithmSchema,
    DestinationKeyId: keyIdSchema,
    DestinationEncryptionContext: encryptionContextSchema,
    DestinationEncryptionAlgorithm: algorithmSchema,
  }),
  async (call, input) => {
    const { SourceEncryptionContext: from, DestinationEncryptionContext: to, CiphertextBlob: ciphertext } = input;
    for (const context of [from, to]) checkContext(context);
    call.facts.encryptionContext = from;
    const source = keyOfBlob(call, ciphertext, input.SourceKeyId);
    call.authorize({ key: source, encryptionContext: from, permission: 'ReEncryptFrom' });
    const destination = call.findKey(input.DestinationKeyId);
    call.authorize({ key: destination, encryptionContext: to, permission: 'ReEncryptTo' });
    for (const key of [source, destination]) call.requireFit(key);
    const plaintext = openBlob(source, from, ciphertext);
    const sealed = sealBlob(destination, to, plaintext, call.dependencies.random);
    plaintext.fill(0);
    return {
      CiphertextBlob: sealed.toString('base64'),
      SourceKeyId: source.arn,
      KeyId: destination.arn,
      SourceEncryptionAlgorithm: ALGORITHM,
      DestinationEncryptionAlgorithm: ALGORITHM,
    };
  },
);
