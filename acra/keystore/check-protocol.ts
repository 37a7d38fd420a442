/**
 * What crosses between a daemon and the short-lived process that inspects its keystore (process-protocol.ts). The secret that goes in is
 * the master key; those that come out are what the sealed files hold.
 */
import { z } from 'zod';
import { errorOfAnswer, failureAnswers, keystoreCode, MAX_SEALED_BYTES } from './process-protocol.ts';
import { requireSoundKeystore } from './report.ts';

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

const keyIdSchema = z.string().regex(/^[0-9a-f]{4}$/);

const reportSchema = z.strictObject({
  folder: z.string(),
  openedKeys: z.int().min(0),
  clientIds: z.array(z.string()),
  keyIds: z.array(
    z.strictObject({
      clientId: z.string(),
      current: keyIdSchema.optional().transform((id) => id),
      old: z.array(keyIdSchema).readonly(),
    }),
  ),
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
  ...failureAnswers,
]);
export type CheckAnswer = z.output<typeof checkAnswerSchema>;
type CheckedAnswer = Extract<CheckAnswer, { outcome: 'checked' }>;

/** @throws the error that the other process met, or that the report amounts to */
export function requireChecked(answer: CheckAnswer): CheckedAnswer {
  if (answer.outcome !== 'checked') throw errorOfAnswer(answer);
  requireSoundKeystore(answer.report);
  return answer;
}
