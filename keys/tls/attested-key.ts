/**
 * The TLS key that an enclave makes at boot (`tls.key: attested`): EC on P-256, which every client knows. Nothing of it leaves the
 * enclave but its public half, in certificates, in the request for one and, hashed, in attestation documents.
 * Specification: RFC 5208 (PKCS #8), RFC 7468 section 10.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { publicKeyDigest } from '../../encoding/public-key-hash.ts';
import { writeCertificate, writeCertificateRequest, writeSubject } from '../../encoding/x509/certificate.ts';
import {
  alternativeNames,
  endEntity,
  forServers,
  ownAuthorityKey,
  subjectKey,
} from '../../encoding/x509/extensions.ts';
import { encodeBase64 } from '../../runtime/base64.ts';
import type { Random } from '../../runtime/random.ts';
import { SecretBuffer } from '../../runtime/secret-buffer.ts';

const DAY_MS = 86_400_000;
/** Clocks of clients may be behind. */
const BACKDATED_MS = 3_600_000;
const SERIAL_BYTES = 16;
/** Of the hash; enough to tell keys of one enclave apart. */
const SUBJECT_DIGITS = 32;

export interface TlsKeyPair {
  /** PEM of the private half. The owner disposes it. */
  readonly privateKey: SecretBuffer;
  readonly publicKey: KeyObject;
  /** SHA-256 of the SubjectPublicKeyInfo, 32 bytes. */
  readonly sha256: Buffer;
}

const BEGIN = Buffer.from('-----BEGIN PRIVATE KEY-----\n');
const END = Buffer.from('\n-----END PRIVATE KEY-----\n');

/** Node's own export to PEM would make a string of it. */
function pemOf(pkcs8: Buffer): SecretBuffer {
  const base64 = encodeBase64(pkcs8);
  const pem = SecretBuffer.take(Buffer.concat([BEGIN, base64, END]));
  for (const bytes of [pkcs8, base64]) bytes.fill(0);
  return pem;
}

export function makeTlsKey(): TlsKeyPair {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const publicKey = createPublicKey(privateKey);
  const pem = pemOf(privateKey.export({ type: 'pkcs8', format: 'der' }));
  return { privateKey: pem, publicKey, sha256: publicKeyDigest({ publicKey }) };
}

export interface Named {
  /** Of enclave.yaml. */
  readonly name: string;
  /** DNS names and IP addresses. */
  readonly names: readonly string[];
}

const subjectOf = ({ sha256 }: TlsKeyPair, { name }: Named): Buffer =>
  writeSubject(name, sha256.toString('hex').slice(0, SUBJECT_DIGITS));

/** 16 random bytes, not negative. */
export function newSerialNumber(random: Random): Buffer {
  const bytes = random.bytes(SERIAL_BYTES);
  bytes[0] = 0x40 | ((bytes[0] ?? 0) & 0x3f);
  return bytes;
}

/**
 * A certificate that is its own root, and no CA: libpq and OpenSSL, Go, Java and Node take one that stands among their roots as it is.
 * It has no key usage: OpenSSL before 3.0 demands keyCertSign of whatever is a root, and that would need a CA (RFC 5280 section 4.2.1.3).
 * @returns DER
 */
export function selfSign(
  key: TlsKeyPair,
  { days, ...named }: Named & { readonly days: number },
  nowMs: number,
  random: Random,
): Buffer {
  const subject = subjectOf(key, named);
  const content = {
    serialNumber: newSerialNumber(random),
    issuer: subject,
    subject,
    publicKey: key.publicKey,
    notBeforeMs: nowMs - BACKDATED_MS,
    notAfterMs: nowMs + days * DAY_MS,
    extensions: [
      endEntity(),
      forServers(),
      alternativeNames(named.names),
      subjectKey(key.publicKey),
      ownAuthorityKey(key.publicKey),
    ],
  };
  return key.privateKey.use((pem) => writeCertificate(content, createPrivateKey(pem)));
}

/** @returns DER of a PKCS #10 request */
export function requestCertificate(key: TlsKeyPair, named: Named): Buffer {
  const subject = subjectOf(key, named);
  return key.privateKey.use((pem) => writeCertificateRequest(createPrivateKey(pem), subject, named.names));
}
