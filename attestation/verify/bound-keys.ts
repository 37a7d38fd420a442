/**
 * The keys that a document binds: that of the TLS connection, and the enclave's HPKE key.
 * Specification: RFC 9180 section 7.1.4 (keys of small order), RFC 7748 section 6.1.
 */
import { createPublicKey, diffieHellman, generateKeyPairSync } from 'node:crypto';
import { AttestationError } from '../errors.ts';
import type { RuntimeStatement } from '../runtime/statement.ts';

const X25519_BYTES = 32;
/** SubjectPublicKeyInfo of X25519 up to the key itself (RFC 8410 section 4). */
const X25519_SPKI_PREFIX = Buffer.from('302a300506032b656e032100', 'hex');

/** @throws AttestationError ATTESTATION_TLS_KEY_MISMATCH */
export function checkTlsKey(attested: Buffer, shown: Buffer): string {
  if (attested.equals(shown)) return attested.toString('hex');
  throw new AttestationError('ATTESTATION_TLS_KEY_MISMATCH', 'the connection ends at another TLS key', {
    found: shown.toString('hex'),
    allowed: attested.toString('hex'),
  });
}

/** @throws AttestationError ATTESTATION_TLS_KEY_SEALED */
export function checkTlsKeyOrigin({ tlsKey }: RuntimeStatement): string {
  const found = `tls.key ${tlsKey}`;
  if (tlsKey === 'attested') return found;
  throw new AttestationError('ATTESTATION_TLS_KEY_SEALED', 'an operator made the TLS key', {
    found,
    allowed: 'tls.key attested',
  });
}

/** With a key of small order every shared secret is zero, and OpenSSL refuses to make it; so any private key finds them all. */
function isOfSmallOrder(raw: Buffer): boolean {
  const publicKey = createPublicKey({ key: Buffer.concat([X25519_SPKI_PREFIX, raw]), format: 'der', type: 'spki' });
  try {
    return diffieHellman({ privateKey: generateKeyPairSync('x25519').privateKey, publicKey }).every(
      (byte) => byte === 0,
    );
  } catch {
    return true;
  }
}

/** @returns the 32 raw bytes. @throws AttestationError ATTESTATION_HPKE_KEY_INVALID */
export function checkHpkeKey(publicKey: Buffer | undefined): Buffer {
  if (publicKey?.length === X25519_BYTES && !isOfSmallOrder(publicKey)) return publicKey;
  throw new AttestationError('ATTESTATION_HPKE_KEY_INVALID', 'the document has no usable HPKE key', {
    found:
      publicKey?.length === X25519_BYTES
        ? 'a point of small order'
        : publicKey
          ? `a public key of ${publicKey.length} bytes`
          : 'no public key',
    allowed: 'an X25519 public key of 32 bytes',
  });
}
