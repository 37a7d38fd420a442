/**
 * What is sealed of a user of the database, by how the enclave logs in: its password (`database.login: certificate`), or its verifier
 * as `pg_authid.rolpassword` has it (`verifier`). Neither is taken for the other: PostgreSQL takes the text of a verifier for one,
 * so it never is a password (PostgreSQL 18, "CREATE ROLE", and src/backend/libpq/crypt.c, get_password_type).
 */
import type { DatabaseLogin } from '../config/user-secrets.ts';
import { parseVerifier } from '../postgres/scram/verifier.ts';
import type { KeyErrorCode } from './errors.ts';

const MAX_PASSWORD_BYTES = 1_024;
const MAX_VERIFIER_BYTES = 2_048;
const [NUL, NEWLINE, RETURN] = [0x00, 0x0a, 0x0d];
const VERIFIER_BEGINS = 'SCRAM-SHA-256$';

export interface SecretForm {
  readonly what: 'password' | 'verifier';
  readonly maxBytes: number;
  /** For people: what is allowed. */
  readonly allowed: string;
  readonly code: Extract<KeyErrorCode, 'KEY_PASSWORD_INVALID' | 'KEY_VERIFIER_INVALID'>;
  /** For people, without a word of what is in it; undefined for one of this form. */
  readonly fault: (bytes: Buffer) => string | undefined;
}

function lineFault(bytes: Buffer, maxBytes: number): string | undefined {
  if (bytes.length === 0) return 'it is empty';
  if (bytes.length > maxBytes) return `it is longer than ${maxBytes} bytes`;
  if (bytes.includes(NUL)) return 'it has a zero byte';
  return bytes.includes(NEWLINE) || bytes.includes(RETURN) ? 'it has more than one line' : undefined;
}

function passwordFault(bytes: Buffer): string | undefined {
  const isVerifier = bytes.subarray(0, VERIFIER_BEGINS.length).equals(Buffer.from(VERIFIER_BEGINS));
  if (isVerifier) return 'it is a verifier, which database.login: verifier would need';
  return lineFault(bytes, MAX_PASSWORD_BYTES);
}

function verifierFault(bytes: Buffer): string | undefined {
  const fault = lineFault(bytes, MAX_VERIFIER_BYTES);
  if (fault !== undefined) return fault;
  const reading = parseVerifier(bytes);
  if (reading.kind === 'refused') return reading.reason;
  for (const key of [reading.verifier.storedKey, reading.verifier.serverKey]) key.dispose();
  return undefined;
}

const LINE = 'on one line; a line break at the end does not count';

const PASSWORD: SecretForm = {
  what: 'password',
  maxBytes: MAX_PASSWORD_BYTES,
  allowed: `1 to ${MAX_PASSWORD_BYTES} bytes ${LINE}`,
  code: 'KEY_PASSWORD_INVALID',
  fault: passwordFault,
};
const VERIFIER: SecretForm = {
  what: 'verifier',
  maxBytes: MAX_VERIFIER_BYTES,
  allowed: `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey> ${LINE}`,
  code: 'KEY_VERIFIER_INVALID',
  fault: verifierFault,
};

/** With `client` and `rds-iam` nothing is sealed of users. */
export function secretFormOf(login: DatabaseLogin): SecretForm {
  return login === 'verifier' ? VERIFIER : PASSWORD;
}
