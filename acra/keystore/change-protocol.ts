/**
 * What crosses between a daemon and the short-lived process that makes or changes keys (process-protocol.ts). The secrets that go in are
 * the master key, behind it the new one where the keystore is sealed under another (`rewrap`), and what is to be sealed, in the order
 * of `seal`. None comes out.
 */
import { z } from 'zod';
import { isClientId, MAX_SEALED_BYTES } from './layout.ts';
import { errorOfAnswer, failureAnswers } from './process-protocol.ts';

const path = z.string().min(1);
const clientIds = z.array(z.string().refine(isClientId)).min(1).readonly();
const folders = { folder: path, newFolder: path };

/** What becomes of the keystore; each makes a whole one at `newFolder`, and touches none that there is. */
const keystoreChange = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({ kind: z.literal('create'), newFolder: path, clientIds, poison: z.boolean() }),
  z.strictObject({ kind: z.literal('rewrap'), ...folders }),
  z.strictObject({ kind: z.literal('rotate'), ...folders, clientIds, nowMs: z.int().min(0) }),
  z.strictObject({ kind: z.literal('forget'), ...folders, clientIds, keepsPairs: z.boolean() }),
]);
export type KeystoreChange = z.output<typeof keystoreChange>;

export const changeRequestSchema = z.strictObject({
  keystore: keystoreChange,
  /** Files that are sealed under the master key, to be sealed under the new one. */
  rewrap: z.array(z.strictObject({ file: path, newFile: path, context: z.string() }).readonly()).readonly(),
  /** Where secrets are written, sealed under the master key (the new one where there is one). */
  seal: z
    .array(z.strictObject({ file: path, context: z.string(), bytes: z.int().min(1).max(MAX_SEALED_BYTES) }).readonly())
    .readonly(),
});
export type ChangeRequest = z.output<typeof changeRequestSchema>;

export const changeAnswerSchema = z.discriminatedUnion('outcome', [
  z.strictObject({ outcome: z.literal('changed') }),
  ...failureAnswers,
]);
export type ChangeAnswer = z.output<typeof changeAnswerSchema>;

/** @throws the error that the other process met */
export function requireChanged(answer: ChangeAnswer): void {
  if (answer.outcome !== 'changed') throw errorOfAnswer(answer);
}
