/**
 * What a server keeps of a password: enough to check a login and to prove itself, not enough to log in. The text is the one in
 * `pg_authid.rolpassword`: `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`, the last three in Base64.
 * Specification: PostgreSQL 18, "pg_authid", and src/common/scram-common.c, scram_build_secret.
 */
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';

/** Its owner disposes of the keys: with StoredKey passwords can be guessed, with ServerKey the server can be played. */
export interface ScramVerifier {
  readonly iterations: number;
  readonly salt: Buffer;
  readonly storedKey: SecretBuffer;
  readonly serverKey: SecretBuffer;
}
