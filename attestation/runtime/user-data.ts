/**
 * `user_data` of the documents that strangers ask for: which TLS key sessions are to be encrypted to, and what the enclave committed
 * to. CBOR, deterministic (RFC 8949, 4.2.1): shortest integers, keys sorted.
 *
 *   { "version": 1, "commitment": 48 bytes, "tls_key_sha256": 32 bytes: SHA-256 of the DER SubjectPublicKeyInfo }
 */
import { readCbor } from '../../encoding/cbor/reader.ts';
import { expectBytes, expectRecord, expectUint } from '../../encoding/cbor/shape.ts';
import { writeCbor } from '../../encoding/cbor/writer.ts';
import { FormatError } from '../../encoding/format-error.ts';
import { COMMITMENT_BYTES } from './statement.ts';

const VERSION = 1;
const SHA256_BYTES = 32;

export interface AttestedUserData {
  readonly tlsKeySha256: Buffer;
  readonly commitment: Buffer;
}

export function encodeUserData({ tlsKeySha256, commitment }: AttestedUserData): Buffer {
  return writeCbor({ version: VERSION, commitment, tls_key_sha256: tlsKeySha256 });
}

/** @throws FormatError */
export function decodeUserData(bytes: Buffer): AttestedUserData {
  const map = expectRecord('user_data', readCbor(bytes), ['version', 'commitment', 'tls_key_sha256']);
  const version = expectUint('version of user_data', map.get('version'), Number.MAX_SAFE_INTEGER);
  if (version !== VERSION) throw new FormatError(`user_data has version ${version}; ${VERSION} is known`);
  const commitment = expectBytes('commitment', map.get('commitment'), COMMITMENT_BYTES, COMMITMENT_BYTES);
  const tlsKeySha256 = expectBytes('tls_key_sha256', map.get('tls_key_sha256'), SHA256_BYTES, SHA256_BYTES);
  if (encodeUserData({ tlsKeySha256, commitment }).equals(bytes)) return { tlsKeySha256, commitment };
  throw new FormatError('user_data is not in its one form');
}
