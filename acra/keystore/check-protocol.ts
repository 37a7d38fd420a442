/**
 * What crosses between a daemon and the short-lived process that inspects its keystore. Secrets travel as raw bytes on
 * descriptors of their own, never as text: the master key in on 3, opened files out on 4, one after the other.
 */
import { z } from 'zod';
import { ENCRYPTOR_ERRORS, EncryptorError, KEYSTORE_ERRORS, KeystoreError } from '../errors.ts';
import { requireSoundKeystore } from './report.ts';

export const MASTER_KEY_DESCRIPTOR = 3;
export const OPENED_DESCRIPTOR = 4;
/** Of one sealed file, and so of what it holds. */
export const MAX_SEALED_BYTES = 64 * 1024;

export const checkRequestSchema = z.strictObject({
  keystoreFolder: z.string(),
  clientIds: z.array(z.string()).readonly(),
  /** By client id. */
  clientNames: z.record(z.string(), z.string()).readonly(),
  encryptorConfigFile: z.string(),
  poisonDetection: z.boolean(),
  sealedFiles: z.array(z.strictObject({ file: z.string(), context: z.string() }).readonly()).readonly(),
});
export type CheckRequest = z.output<typeof checkRequestSchema>;

const keystoreCode = z.enum(Object.keys(KEYSTORE_ERRORS) as (keyof typeof KEYSTORE_ERRORS)[]);
const encryptorCode = z.enum(Object.keys(ENCRYPTOR_ERRORS) as (keyof typeof ENCRYPTOR_ERRORS)[]);

const failure = { message: z.string(), found: z.string().optional(), allowed: z.string().optional() };

const reportSchema = z.strictObject({
  folder: z.string(),
  openedKeys: z.int().min(0),
  clientIds: z.array(z.string()),
  poisonKeys: z.array(z.enum(['poison-symmetric', 'poison-private'])),
  findings: z.array(z.strictObject({ code: keystoreCode, path: z.string().exactOptional(), message: z.string() })),
});

export const checkAnswerSchema = z.discriminatedUnion('outcome', [
  z.strictObject({
    outcome: z.literal('checked'),
    report: reportSchema,
    warnings: z.array(z.strictObject({ line: z.int(), path: z.string(), message: z.string() })),
    /** Lengths of the secrets on OPENED_DESCRIPTOR, in the order of the request. */
    openedBytes: z.array(z.int().min(0).max(MAX_SEALED_BYTES)),
  }),
  z.strictObject({ outcome: z.literal('keystore-error'), code: keystoreCode, ...failure }),
  z.strictObject({ outcome: z.literal('encryptor-error'), code: encryptorCode, ...failure }),
]);
export type CheckAnswer = z.output<typeof checkAnswerSchema>;
type CheckedAnswer = Extract<CheckAnswer, { outcome: 'checked' }>;

/** The other direction of `requireChecked`. Anything but our own errors is reported by its message alone. */
export function answerOfError(error: unknown): CheckAnswer {
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

/** @throws the error that the other process met, or that the report amounts to */
export function requireChecked(answer: CheckAnswer): CheckedAnswer {
  if (answer.outcome === 'checked') {
    requireSoundKeystore(answer.report);
    return answer;
  }
  const details = {
    ...(answer.found === undefined ? {} : { found: answer.found }),
    ...(answer.allowed === undefined ? {} : { allowed: answer.allowed }),
  };
  if (answer.outcome === 'keystore-error') throw new KeystoreError(answer.code, answer.message, details);
  throw new EncryptorError(answer.code, answer.message, details);
}
