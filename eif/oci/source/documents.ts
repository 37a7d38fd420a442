/**
 * The JSON documents of a container image: index, manifest, configuration. Specification: OCI image-spec 1.1 (image-index.md,
 * manifest.md, config.md); Docker's image manifest version 2, schema 2, which has the same fields under other media types.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { OciError } from '../errors.ts';

/** What the specification asks registries to take. */
export const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024;
export const MAX_LAYERS = 512;

/** The only algorithm that the specification obliges everybody to know. */
export const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, { error: 'must be sha256: and 64 hexadecimal digits' });

const platform = z.looseObject({ architecture: z.string(), os: z.string(), variant: z.string().nullish() });

const descriptor = z.looseObject({
  mediaType: z.string(),
  digest,
  size: z.int().min(0),
  annotations: z.record(z.string(), z.string()).nullish(),
  platform: platform.nullish(),
});
export type Descriptor = z.output<typeof descriptor>;

export const indexSchema = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  manifests: z.array(descriptor),
});

export const manifestSchema = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  config: descriptor,
  layers: z.array(descriptor).max(MAX_LAYERS),
});

const words = z.array(z.string()).nullish();
const flags = z.record(z.string(), z.unknown()).nullish();

const runConfiguration = z.looseObject({
  User: z.string().nullish(),
  ExposedPorts: flags,
  Env: words,
  Entrypoint: words,
  Cmd: words,
  Volumes: flags,
  WorkingDir: z.string().nullish(),
  StopSignal: z.string().nullish(),
  Healthcheck: z.looseObject({ Test: words }).nullish(),
});
export type RunConfiguration = z.output<typeof runConfiguration>;

export const configSchema = z.looseObject({
  architecture: z.string(),
  os: z.string(),
  config: runConfiguration.nullish(),
  rootfs: z.looseObject({ type: z.literal('layers'), diff_ids: z.array(digest).max(MAX_LAYERS) }),
});
export type ImageConfig = z.output<typeof configSchema>;

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** @param what for people @throws OciError EIF_OCI_DOCUMENT */
export function parseDocument<Schema extends z.ZodType>(
  schema: Schema,
  bytes: Uint8Array,
  what: string,
): z.output<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new OciError('EIF_OCI_DOCUMENT', `${what} is no JSON`, { cause });
  }
  const { data, error } = schema.safeParse(value);
  if (error === undefined) return data;
  throw new OciError('EIF_OCI_DOCUMENT', `${what} is malformed`, { found: z.prettifyError(error) });
}
