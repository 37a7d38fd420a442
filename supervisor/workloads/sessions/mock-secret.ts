/**
 * What makes the challenges of users that an identity does not have: they must be the same at each start and in each enclave of a fleet,
 * as those of real users are, or they would tell who exists; also when the master key is another. So it is derived from a key that stays, and
 * cannot follow from it: in a key set that of poison records, in an image the master key. Each identity has its own. PostgreSQL keeps one in its control file for this (mock_authentication_nonce).
 * Specification: RFC 5869 (HKDF with SHA-256).
 */
import { hkdfSync } from 'node:crypto';
import { SecretBuffer } from '../../../runtime/secret-buffer.ts';

const SECRET_BYTES = 32;
const PURPOSE = 'acra-enclave: mock challenges of SCRAM, for client ';

/** The caller disposes of it. */
export function mockSecretOf(clientId: string, mockKey: SecretBuffer): SecretBuffer {
  return SecretBuffer.take(
    mockKey.use((key) => Buffer.from(hkdfSync('sha256', key, '', PURPOSE + clientId, SECRET_BYTES))),
  );
}
