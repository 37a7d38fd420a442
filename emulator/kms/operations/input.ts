/** The members that several operations take, with the limits of the KMS API reference. */
import { z } from 'zod';
import type { Call } from '../call.ts';
import { ServiceError } from '../service-error.ts';

/** One operation: reads the request's JSON and returns the answer's. */
export type Operation = (call: Call, body: unknown) => Promise<object>;

/** A blob: base64 in JSON, a Buffer here. */
export function blob(minBytes: number, maxBytes: number) {
  return z
    .base64()
    .transform((text) => Buffer.from(text, 'base64'))
    .refine(
      (bytes) => bytes.length >= minBytes && bytes.length <= maxBytes,
      `must be ${minBytes} to ${maxBytes} bytes`,
    );
}

export const keyIdSchema = z.string().min(1).max(2048);

export const encryptionContextSchema = z.record(z.string().min(1), z.string()).default({});

export const recipientSchema = z
  .object({
    AttestationDocument: blob(1, 262_144),
    KeyEncryptionAlgorithm: z.literal('RSAES_OAEP_SHA_256'),
  })
  .optional();

/** Only symmetric keys encrypt here. */
export const algorithmSchema = z.literal('SYMMETRIC_DEFAULT').optional();

/** Binds a schema to what is done with a valid request. Unknown members are ignored, as KMS ignores them. */
export function operation<Schema extends z.ZodType>(
  schema: Schema,
  run: (call: Call, input: z.infer<Schema>) => Promise<object>,
): Operation {
  return async (call, body) => {
    const parsed = schema.safeParse(body);
    if (!parsed.success) {
      throw new ServiceError('ValidationException', z.prettifyError(parsed.error), { cause: parsed.error });
    }
    return run(call, parsed.data);
  };
}
