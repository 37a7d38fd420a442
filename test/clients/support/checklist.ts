/** The checks that every client goes through (checks.json), and the form in which its program tells how each went. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const demandsSchema = z.array(z.strictObject({ check: z.string(), demands: z.string() }));

export const CHECKS = demandsSchema.parse(
  JSON.parse(readFileSync(join(import.meta.dirname, '../checks.json'), 'utf8')),
);

/** The first line of a program. */
export const aboutSchema = z.strictObject({
  version: z.string().min(1),
  /** The language and its version. */
  runtime: z.string().min(1),
  /** How the client talks by default, where it could otherwise. */
  mode: z.string(),
});

/** One line a check; `ok` is null where the client has no such thing, and `detail` says so in words. */
export const outcomeSchema = z.strictObject({ check: z.string(), ok: z.boolean().nullable(), detail: z.string() });

export type Outcome = z.infer<typeof outcomeSchema>;

export const resultSchema = z.strictObject({
  client: z.string().min(1),
  about: aboutSchema,
  target: z.string(),
  date: z.iso.date(),
  outcomes: z.array(outcomeSchema),
});

export type ClientResult = z.infer<typeof resultSchema>;
