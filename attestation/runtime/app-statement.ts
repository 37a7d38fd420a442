/**
 * The runtime statement of an enclave with any application (decision 28): what it runs and by which ways anything enters or leaves. The
 * configuration's digest binds all of it; what stands here beside that is what people and programs decide by.
 */
import { z } from 'zod';

const text = z.string().max(4_096);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be the 64 hexadecimal digits of a SHA-256');

export const appRuntimeStatement = z.strictObject({
  version: z.literal(1),
  workload: z.literal('app'),
  /** Of acra-enclave. */
  release: text,
  /** `name` of enclave.yaml. */
  name: text,
  /** SHA-256 of what `sha256sum` prints of the measured folder's files, sorted by path (runtime/folder-digest.ts). */
  configuration: sha256,
  /** SHA-256 of each command as canonical JSON (RFC 8785): an array of the program and its arguments. */
  programs: z.record(text, sha256),
  /** Where TLS of clients ends: in the program, or in the enclave by the key of this boot. */
  ingress: z.record(text, z.enum(['passed', 'ended'])),
  tlsKey: z.literal('attested'),
  egress: z.strictObject({
    /** `HOST:PORT` of each way out. */
    routes: z.record(text, text),
    /** SHA-256 of `{"allow":[…],"deny":[…]}` as canonical JSON; null: there is no way out by HTTP. */
    http: sha256.nullable(),
  }),
  /** Keys, and what programs may do with each; null: programs have no KMS. */
  kmsProxy: z
    .strictObject({ allow: z.array(z.strictObject({ key: text, actions: z.array(text) })), random: z.boolean() })
    .nullable(),
});
export type AppRuntimeStatement = z.infer<typeof appRuntimeStatement>;
