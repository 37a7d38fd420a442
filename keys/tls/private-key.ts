/**
 * Whether acra-server can use a private key file: one key, PEM, unencrypted, of a kind that Go's crypto/tls signs with, and
 * the one of the certificate. Sources: Go, crypto/tls X509KeyPair; RFC 7468 for the labels.
 */
import type { KeyObject } from 'node:crypto';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import type { CertificateFacts } from '../../acra/certificate/facts.ts';
import { requireReadableKey } from '../../acra/certificate/public-key.ts';
import { MAX_SEALED_BYTES } from '../../acra/keystore/layout.ts';
import { readAsn1 } from '../../encoding/asn1/reader.ts';
import { describeContent, pemBlocks } from '../../encoding/pem.ts';
import { describeError } from '../../runtime/errors.ts';
import type { KeyErrorCode } from '../errors.ts';
import type { Finding } from '../finding.ts';
import { nameOf } from './certificate-facts.ts';

const MIN_RSA_BITS = 2048;
/** crypto/tls refuses larger ones. */
const MAX_RSA_BITS = 8192;
const CURVES: ReadonlySet<string> = new Set(['prime256v1', 'secp384r1', 'secp521r1']);
const ALLOWED = `RSA of ${MIN_RSA_BITS} to ${MAX_RSA_BITS} bits, P-256, P-384, P-521, Ed25519`;
const PEM_KEY = 'one PEM block PRIVATE KEY, RSA PRIVATE KEY or EC PRIVATE KEY';

type Outcome = { readonly key: KeyObject } | { readonly finding: Finding };

function refuse(code: KeyErrorCode, file: string, message: string, found?: string, allowed?: string): Outcome {
  const details = { ...(found === undefined ? {} : { found }), ...(allowed === undefined ? {} : { allowed }) };
  return { finding: { code, file, message, ...details } };
}

/** For people; undefined for a key that Go's crypto/tls signs with. */
export function unusableKey(key: KeyObject, minRsaBits: number = MIN_RSA_BITS): string | undefined {
  const { modulusLength = 0, namedCurve = 'an unnamed curve' } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'rsa') {
    return modulusLength >= minRsaBits && modulusLength <= MAX_RSA_BITS ? undefined : `RSA of ${modulusLength} bits`;
  }
  if (key.asymmetricKeyType === 'ec') return CURVES.has(namedCurve) ? undefined : namedCurve;
  return key.asymmetricKeyType === 'ed25519' ? undefined : key.asymmetricKeyType;
}

function readKey(file: string, bytes: Buffer): Outcome {
  if (bytes.length > MAX_SEALED_BYTES) {
    return refuse('KEY_FILE_INVALID', file, 'it is too large for a key', `${bytes.length} bytes`, PEM_KEY);
  }
  const keys = pemBlocks(bytes).filter(({ label }) => label === 'PRIVATE KEY' || label.endsWith(' PRIVATE KEY'));
  const [first] = keys;
  if (first === undefined || keys.length > 1) {
    const found = keys.length > 1 ? `${keys.length} private keys` : describeContent(bytes);
    return refuse('KEY_FILE_INVALID', file, 'it does not hold exactly one private key', found, PEM_KEY);
  }
  if (first.label === 'ENCRYPTED PRIVATE KEY' || first.headers.includes('4,ENCRYPTED')) {
    return refuse(
      'KEY_FILE_ENCRYPTED',
      file,
      'the private key is encrypted, and nobody in the enclave has its password',
    );
  }
  if (!['PRIVATE KEY', 'RSA PRIVATE KEY', 'EC PRIVATE KEY'].includes(first.label)) {
    return refuse('KEY_FILE_INVALID', file, 'acra-server does not read keys of this form', first.label, PEM_KEY);
  }
  try {
    return { key: createPrivateKey({ key: first.raw, format: 'pem' }) };
  } catch {
    // OpenSSL's words could quote what is secret.
    return refuse('KEY_FILE_INVALID', file, 'the private key is damaged');
  }
}

/** For people; undefined when Go reads a key of this form: OpenSSL hands a form that only it reads on to the public half. */
function unreadableForm(key: KeyObject): string | undefined {
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
  try {
    requireReadableKey(readAsn1(spki, 'der'));
    return undefined;
  } catch (error) {
    return describeError(error);
  }
}

/** @param certificate the one that the key is for; undefined when that could not be read */
export function checkServerKey(file: string, bytes: Buffer, certificate: CertificateFacts | undefined): Finding[] {
  const read = readKey(file, bytes);
  if ('finding' in read) return [read.finding];
  const unusable = unusableKey(read.key);
  if (unusable !== undefined) {
    const message = 'acra-server cannot serve with a key of this kind';
    return [{ code: 'KEY_ALGORITHM', file, message, found: unusable, allowed: ALLOWED }];
  }
  const form = unreadableForm(read.key);
  if (form !== undefined) {
    const message = 'acra-server does not read a key of this form';
    return [{ code: 'KEY_FILE_INVALID', file, message, found: form, allowed: 'the curve by its name' }];
  }
  if (certificate === undefined || certificate.x509.checkPrivateKey(read.key)) return [];
  const message = `it is not the private key of the certificate of ${nameOf(certificate)}`;
  return [{ code: 'KEY_CERTIFICATE_MISMATCH', file, message }];
}
