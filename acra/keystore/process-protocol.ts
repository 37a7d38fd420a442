/**
 * How a daemon and the short-lived process that changes a keystore speak (change-main.ts): a request as JSON on stdin, an answer as JSON on
 * stdout. Secrets travel as raw bytes on a descriptor of their own, never as text, one after the other. None comes back.
 */
import { z } from 'zod';
import { ENCRYPTOR_ERRORS, EncryptorError, KEYSTORE_ERRORS, KeystoreError } from '../errors.ts';

export const SECRETS_DESCRIPTOR = 3;

const keystoreCode = z.enum(Object.keys(KEYSTORE_ERRORS) as (keyof typeof KEYSTORE_ERRORS)[]);
const encryptorCode = z.enum(Object.keys(ENCRYPTOR_ERRORS) as (keyof typeof ENCRYPTOR_ERRORS)[]);

const failure = { message: z.string(), found: z.string().optional(), allowed: z.string().optional() };

/** Members of each answer's union. */
export const failureAnswers = [
  z.strictObject({ outcome: z.literal('keystore-error'), code: keystoreCode, ...failure }),
  z.strictObject({ outcome: z.literal('encryptor-error'), code: encryptorCode, ...failure }),
] as const;
export type FailureAnswer = z.output<(typeof failureAnswers)[number]>;

/** The other direction of `errorOfAnswer`. Anything but our own errors is reported by its message alone. */
export function answerOfError(error: unknown): FailureAnswer {
  const details = (known: KeystoreError | EncryptorError) => ({
    message: known.message,
    ...(known.found === undefined ? {} : { found: known.found }),
    ...(known.allowed === undefined ? {} : { allowed: known.allowed }),
  });
  if (error instanceof KeystoreError) return { outcome: 'keystore-error', code: error.code, ...details(error) };
  if (error instanceof EncryptorError) return { outcome: 'encryptor-error', code: error.code, ...details(error) };
  const message = error instanceof Error ? error.message.slice(0, 500) : 'unknown failure';
  return { outcome: 'keystore-error', code: 'KEYSTORE_CHECK_FAILED', message };
}

/** The error that the other process met. */
export function errorOfAnswer(answer: FailureAnswer): KeystoreError | EncryptorError {
  const details = {
    ...(answer.found === undefined ? {} : { found: answer.found }),
    ...(answer.allowed === undefined ? {} : { allowed: answer.allowed }),
  };
  if (answer.outcome === 'keystore-error') return new KeystoreError(answer.code, answer.message, details);
  return new EncryptorError(answer.code, answer.message, details);
}
