/**
 * The keys that sign measurements, and requests about keys, from PEM files (RFC 7468): public ones as SubjectPublicKeyInfo, private ones as
 * PKCS #8 (RFC 5208, encrypted or not) or SEC 1 (RFC 5915). A key has one form only, so that one key has one name: its SHA-256 as
 * everywhere here.
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { derOf, describeContent, type PemBlock, pemBlocks } from '../../encoding/pem.ts';
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { MeasurementsError } from './errors.ts';

/** Bytes of a file with a key; the greatest of ours has some hundred. */
export const MAX_KEY_FILE_BYTES = 16 * 1024;

/** Hash of the message; undefined where the algorithm has its own (Ed25519, RFC 8032). */
type Hash = 'sha256' | 'sha384' | undefined;

export interface VerifyingKey {
  /** What people call it: the name of its file. */
  readonly name: string;
  readonly key: KeyObject;
  readonly hash: Hash;
  /** SHA-256 of the SubjectPublicKeyInfo, lower-case hex. */
  readonly keyId: string;
}

export interface SigningKey extends VerifyingKey {
  readonly privateKey: KeyObject;
}

const CURVES: Readonly<Record<string, Hash>> = { prime256v1: 'sha256', secp384r1: 'sha384' };
const ALLOWED = 'Ed25519, P-256, P-384';
const PRIVATE_LABELS: ReadonlySet<string> = new Set(['PRIVATE KEY', 'EC PRIVATE KEY', 'ENCRYPTED PRIVATE KEY']);

function refuse(name: string, what: string, bytes: Buffer): MeasurementsError {
  return new MeasurementsError('MEASUREMENTS_KEY_INVALID', `${name} does not hold ${what}`, {
    found: describeContent(bytes),
  });
}

function hashFor(name: string, key: KeyObject): Hash {
  if (key.asymmetricKeyType === 'ed25519') return undefined;
  const curve = key.asymmetricKeyType === 'ec' ? (key.asymmetricKeyDetails?.namedCurve ?? 'an unnamed curve') : '';
  if (Object.hasOwn(CURVES, curve)) return CURVES[curve];
  throw new MeasurementsError('MEASUREMENTS_KEY_ALGORITHM', `the key in ${name} is of a kind that cannot sign here`, {
    found: curve || (key.asymmetricKeyType ?? 'an unknown kind'),
    allowed: ALLOWED,
  });
}

/** Through JWK, which knows no compressed points and no spelt-out curves. */
function onlyForm(key: KeyObject): Buffer {
  const jwk = key.export({ format: 'jwk' });
  return createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'der' });
}

function verifyingKey(name: string, key: KeyObject): VerifyingKey {
  const hash = hashFor(name, key);
  return { name, key, hash, keyId: createHash('sha256').update(onlyForm(key)).digest('hex') };
}

/**
 * @param name of the file, for messages
 * @throws MeasurementsError MEASUREMENTS_KEY_INVALID, MEASUREMENTS_KEY_ALGORITHM
 */
export function readVerifyingKey(name: string, pem: Buffer): VerifyingKey {
  const [block, ...others] = pemBlocks(pem);
  if (block?.label !== 'PUBLIC KEY' || others.length > 0) throw refuse(name, 'one PUBLIC KEY block', pem);
  const der = derOf(block);
  let key: KeyObject;
  try {
    key = createPublicKey({ key: der, format: 'der', type: 'spki' });
  } catch (cause) {
    throw new MeasurementsError('MEASUREMENTS_KEY_INVALID', `the key in ${name} is damaged`, { cause });
  }
  const read = verifyingKey(name, key);
  if (onlyForm(key).equals(der)) return read;
  throw new MeasurementsError('MEASUREMENTS_KEY_INVALID', `the key in ${name} is not in its usual form`, {
    allowed: 'the curve by its name, the point uncompressed (RFC 5480)',
  });
}

function openPrivateKey(name: string, block: PemBlock, passphrase: SecretBuffer | undefined): KeyObject {
  const isEncrypted = block.label === 'ENCRYPTED PRIVATE KEY';
  if (isEncrypted !== (passphrase !== undefined)) {
    const found = isEncrypted ? 'no passphrase' : 'a passphrase for a key that is not encrypted';
    throw new MeasurementsError('MEASUREMENTS_KEY_ENCRYPTED', `the private key in ${name} cannot be opened`, { found });
  }
  const open = (bytes?: Buffer) =>
    createPrivateKey({ key: block.raw, format: 'pem', ...(bytes === undefined ? {} : { passphrase: bytes }) });
  try {
    return passphrase === undefined ? open() : passphrase.use(open);
  } catch {
    // OpenSSL's words could quote what is secret.
    if (isEncrypted) {
      throw new MeasurementsError('MEASUREMENTS_KEY_ENCRYPTED', `the passphrase does not open the key in ${name}`);
    }
    throw new MeasurementsError('MEASUREMENTS_KEY_INVALID', `the private key in ${name} is damaged`);
  }
}

/**
 * @param pem the caller zeroes it
 * @throws MeasurementsError MEASUREMENTS_KEY_INVALID, MEASUREMENTS_KEY_ALGORITHM, MEASUREMENTS_KEY_ENCRYPTED
 */
export function readSigningKey(name: string, pem: Buffer, passphrase?: SecretBuffer): SigningKey {
  // `openssl ecparam -genkey` writes the curve in front of the key, which names it too.
  const [block, ...others] = pemBlocks(pem).filter(({ label }) => label !== 'EC PARAMETERS');
  if (block === undefined || others.length > 0 || !PRIVATE_LABELS.has(block.label)) {
    throw refuse(name, 'one block PRIVATE KEY, EC PRIVATE KEY or ENCRYPTED PRIVATE KEY', pem);
  }
  if (block.headers.includes('ENCRYPTED')) {
    throw new MeasurementsError('MEASUREMENTS_KEY_ENCRYPTED', `the private key in ${name} cannot be opened`, {
      found: 'an encryption by headers (RFC 1421), whose key is one round of MD5',
      allowed: 'PKCS #8',
    });
  }
  const privateKey = openPrivateKey(name, block, passphrase);
  return { ...verifyingKey(name, createPublicKey(privateKey)), privateKey };
}

/** @throws MeasurementsError MEASUREMENTS_KEY_TWICE */
export function requireDistinct(keys: readonly VerifyingKey[]): void {
  for (const [index, { keyId, name }] of keys.entries()) {
    const same = keys.slice(0, index).find((other) => other.keyId === keyId);
    if (same === undefined) continue;
    throw new MeasurementsError('MEASUREMENTS_KEY_TWICE', 'one key is demanded twice', {
      found: `${same.name}, ${name}`,
    });
  }
}
