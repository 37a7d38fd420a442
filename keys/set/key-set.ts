/**
 * A key set: all keys of an enclave, sealed, as the parent instance keeps them. The master key lies in it under a data key, which its keeper
 * gives only to an attested enclave; everything else under the master key. One form only (canonical JSON), named by its hash, chained to the
 * set that it came from. Specification: docs/specs/key-sets.md.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson } from '../../encoding/canonical-json.ts';
import { type FormatError, wrapFormatError } from '../../encoding/format-error.ts';
import { parseBoundedJson } from '../../runtime/bounded-json.ts';
import { KeyError } from '../errors.ts';
import { clientKeyIdsShape } from '../key-ids-file.ts';
import { keeperFault, keptBy } from './kept-by.ts';
import { sealedLength } from './sealed-bytes.ts';

/** Some thousand clients. */
export const MAX_KEY_SET_BYTES = 3 * 1024 * 1024;
const MAX_FILES = 20_000;
const MAX_SECRETS = 200;
const MAX_FILE_BYTES = 64 * 1024;
const MASTER_KEY_BYTES = 32;
/** Two of each file, four of each secret, three and the old ids of each client; names of clients, users and contexts may have commas. */
const MAX_VALUES = 4 * MAX_FILES;

const DOMAIN = 'acra-enclave key set v1\0';

const encoded = (maxBytes: number) => z.base64().max(4 * Math.ceil(maxBytes / 3));
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const text = z.string().max(4_096);

const keySetSchema = z.strictObject({
  version: z.literal(1),
  /** `name` of enclave.yaml. */
  name: text,
  /** 1 is a ceremony's; each change counts one up. */
  generation: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
  /** Hash of the set that this one was made from. */
  previous: sha256.nullable(),
  /** Who holds the data key under which the master key lies. */
  keeper: keptBy,
  /** Under the data key, bound to everything else in the set (keys/set/master-key.ts). */
  masterKey: encoded(sealedLength(MASTER_KEY_BYTES)),
  /** Files of Acra's keystore v1, by path; private ones are sealed under the master key. */
  keystore: z
    .array(z.strictObject({ path: z.string().max(512), content: encoded(MAX_FILE_BYTES) }))
    .min(1)
    .max(MAX_FILES),
  /** Passwords (or verifiers) of database users, sealed under the master key; of each user one or two. */
  secrets: z
    .array(
      z.strictObject({
        user: z.string().max(63),
        slot: z.enum(['secret', 'nextSecret']),
        sealed: encoded(MAX_FILE_BYTES),
        /** Of a password that an enclave made: what the database is told of it (`ALTER ROLE … PASSWORD`). */
        verifier: z.string().max(1_024).nullable(),
      }),
    )
    .max(MAX_SECRETS),
  /** By which ids stored values name the symmetric keys in the keystore, of each client that has one. */
  keyIds: z.array(z.strictObject(clientKeyIdsShape)).max(MAX_FILES),
});
export type KeySet = z.infer<typeof keySetSchema>;

export { GENERATION_CONTEXT } from '../../wire/generation-context.ts';

function invalid(message: string, cause?: unknown, found?: string): KeyError {
  return new KeyError('KEY_SET_INVALID', message, {
    ...(found === undefined ? {} : { found }),
    ...(cause === undefined ? {} : { cause }),
  });
}

/** @throws KeyError KEY_SET_INVALID: too large */
export function encodeKeySet(set: KeySet): Buffer {
  const encoding = Buffer.from(canonicalJson(set), 'utf8');
  if (encoding.length <= MAX_KEY_SET_BYTES) return encoding;
  throw new KeyError('KEY_SET_INVALID', 'the key set is too large', {
    found: `${encoding.length} bytes`,
    allowed: `at most ${MAX_KEY_SET_BYTES} bytes`,
  });
}

/** @throws KeyError KEY_SET_INVALID: none, not in its one form, or one that names a file or secret twice */
export function decodeKeySet(encoding: Buffer): KeySet {
  if (encoding.length > MAX_KEY_SET_BYTES)
    throw invalid('the key set is too large', undefined, `${encoding.length} bytes`);
  let json: unknown;
  try {
    json = parseBoundedJson(encoding, MAX_VALUES);
  } catch (cause) {
    throw invalid('the key set is not JSON', cause);
  }
  const parsed = keySetSchema.safeParse(json);
  if (!parsed.success) throw invalid('the key set is malformed', undefined, z.prettifyError(parsed.error));
  const fault = keeperFault(parsed.data.keeper);
  if (fault !== undefined) throw invalid('the key set’s keepers are malformed', undefined, fault);
  requireOrder(parsed.data);
  const canonical = wrapFormatError(
    () => encodeKeySet(parsed.data),
    (cause: FormatError) => invalid('the key set is malformed', cause),
  );
  if (canonical.equals(encoding)) return parsed.data;
  throw invalid('the key set is not in its one form');
}

/** Ascending, so that none is there twice. @throws KeyError KEY_SET_INVALID */
function requireOrder({ keystore, secrets, keyIds }: KeySet): void {
  const names = [
    keystore.map(({ path }) => path),
    secrets.map(({ user, slot }) => `${user}\0${slot}`),
    keyIds.map(({ clientId }) => clientId),
    ...keyIds.map(({ old }) => old),
  ];
  for (const list of names) {
    const at = list.findIndex((name, index) => index > 0 && name <= (list[index - 1] ?? ''));
    if (at !== -1) throw invalid('entries of the key set are not in order, or there twice', undefined, list[at]);
  }
}

/** SHA-256, lower-case hex: by this a set is named. */
export function keySetDigest(encoding: Buffer): string {
  return createHash('sha256').update(DOMAIN).update(encoding).digest('hex');
}

/** What the sealed master key is bound to: the set without it. */
export function boundPart({ masterKey: _, ...rest }: KeySet): Buffer {
  return Buffer.from(canonicalJson(rest), 'utf8');
}
