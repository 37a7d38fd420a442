/**
 * What an enclave says of how it runs, in words that people and programs read: the runtime statement. Its hash is the run-time
 * commitment, which PCR16 holds before the first call to KMS; so whoever has an attestation document and the statement knows that
 * the enclave said so, and could not take it back. Measurements name an image; this names what the image was told to do.
 *
 *   commitment = SHA-384("acra-enclave runtime statement v1" ‖ 0x00 ‖ encoding)     encoding: canonical JSON (RFC 8785), `jq -cS`
 *   PCR16      = SHA-384(48 zero bytes ‖ commitment)                               ExtendPCR hashes the old value with the data
 *
 * Specification: nitro-formats 3.5 (ExtendPCR).
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson } from '../../encoding/canonical-json.ts';
import { FormatError } from '../../encoding/format-error.ts';
import { toPcrIndex } from '../../wire/brands.ts';
import { extendPcrValue, PCR_BYTES } from '../pcr.ts';
import { type AppRuntimeStatement, appRuntimeStatement } from './app-statement.ts';

/** The first register that an enclave may extend. */
export const COMMITMENT_PCR = toPcrIndex(16);
export const COMMITMENT_BYTES = 48;

const DOMAIN = 'acra-enclave runtime statement v1\0';
/** Some KB for people; a list of migrations may be long. */
export const MAX_STATEMENT_BYTES = 64 * 1024;

const text = z.string().max(4_096);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be the 64 hexadecimal digits of a SHA-256');

const pcr0 = z.string().regex(/^[0-9a-f]{96}$/, 'must be the 96 hexadecimal digits of a PCR');

const count = z.int().min(1);

/** Who keeps the data key of key sets: `kms` alone, k of several KMS keys, k of several operators. */
const keeper = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('kms') }),
  /** ARNs. */
  z.strictObject({ kind: z.literal('threshold'), k: count, keys: z.array(text).min(1) }),
  /** With the SHA-256 of the file with each one's public key, to which shares are encrypted. */
  z.strictObject({
    kind: z.literal('operators'),
    k: count,
    operators: z.array(z.strictObject({ name: text, encryptionKey: sha256 })).min(1),
  }),
]);

/** Where the keys come from, and who may change them. */
const keys = z.discriminatedUnion('source', [
  /** Sealed, in the measured folder. */
  z.strictObject({ source: z.literal('image') }),
  /** Made in an enclave, kept by the parent instance in key sets (docs/specs/key-sets.md). */
  z.strictObject({
    source: z.literal('parent'),
    /** What keeps an older key set out: nothing, the key policy of KMS, or that no set but the one of this SHA-256 is taken. */
    pin: z.union([z.enum(['none', 'policy']), sha256]),
    /** Who may ask for changes, and the SHA-256 of the file with each one's public key. */
    operators: z.array(z.strictObject({ name: text, key: sha256 })).min(1),
    /** So many of them must sign. */
    approvals: z.int().min(1),
    /** Whether keys are made where no set is brought. */
    ceremony: z.enum(['refused', 'allowed']),
    /** PCR0 of other images whose key sets are taken. */
    madeIn: z.array(pcr0),
    /** KMS keys under which a set may still be, beside that of `kms`. */
    formerKmsKeys: z.array(text),
    keeper,
  }),
]);

const acraRuntimeStatement = z.strictObject({
  version: z.literal(1),
  /** Never there: statements of enclaves with Acra say no workload. */
  workload: z.undefined().optional(),
  /** Of acra-enclave. */
  release: text,
  /** `name` of enclave.yaml. */
  name: text,
  /** SHA-256 of what `sha256sum` prints of the measured folder's files, sorted by path (runtime/folder-digest.ts). */
  configuration: sha256,
  ingress: z.enum(['terminate', 'passthrough']),
  /** Who made the private key of the server's certificate: an operator, or this enclave, at this boot. */
  tlsKey: z.enum(['sealed', 'attested']),
  guard: z.strictObject({
    /** `none` with passthrough: acra-server reads the statements itself. */
    mode: z.enum(['enforce', 'report', 'none']),
    relations: z.enum(['listed', 'any', 'none']),
    /** `table.column` whose existing rows may still be plaintext. */
    migrations: z.array(text),
  }),
  database: z.strictObject({
    serverName: text,
    ca: sha256,
    /** There with this login alone, by which the parent instance can be the users of the database. */
    login: z.literal('rds-iam').exactOptional(),
  }),
  clientCa: sha256,
  /** null where no KMS has a part: operators keep the keys. */
  kms: z.strictObject({ keyArn: text, encryptionContext: z.record(text, text) }).nullable(),
  keys,
});
export type AcraRuntimeStatement = Omit<z.infer<typeof acraRuntimeStatement>, 'workload'> & {
  readonly workload?: never;
};

export type RuntimeStatement = AcraRuntimeStatement | AppRuntimeStatement;

export const runtimeStatement = z.discriminatedUnion('workload', [
  acraRuntimeStatement,
  appRuntimeStatement,
]) as unknown as z.ZodType<RuntimeStatement>;

/** What is hashed. @throws FormatError */
export function encodeStatement(statement: RuntimeStatement): Buffer {
  return Buffer.from(canonicalJson(statement), 'utf8');
}

/** @throws FormatError when it is none, or not in the one form that is hashed */
export function decodeStatement(encoding: Buffer): RuntimeStatement {
  if (encoding.length > MAX_STATEMENT_BYTES) throw new FormatError('the runtime statement is too long');
  let json: unknown;
  try {
    json = JSON.parse(encoding.toString('utf8'));
  } catch (cause) {
    throw new FormatError('the runtime statement is not JSON', undefined, cause);
  }
  const parsed = runtimeStatement.safeParse(json);
  if (!parsed.success) throw new FormatError(`the runtime statement is malformed: ${z.prettifyError(parsed.error)}`);
  if (encodeStatement(parsed.data).equals(encoding)) return parsed.data;
  throw new FormatError('the runtime statement is not in canonical form');
}

/** @returns 48 bytes */
export function commitmentTo(encoding: Buffer): Buffer {
  return createHash('sha384').update(DOMAIN).update(encoding).digest();
}

/** What PCR16 shows when it was extended by that commitment, once. @returns 48 bytes */
export function pcrOfCommitment(commitment: Buffer): Buffer {
  return extendPcrValue(Buffer.alloc(PCR_BYTES), commitment);
}
