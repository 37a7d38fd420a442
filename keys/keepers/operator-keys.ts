/**
 * The X25519 keys of operators that hold shares, from PEM files (RFC 7468): public ones as SubjectPublicKeyInfo, private ones as PKCS #8,
 * encrypted or not (RFC 8410, RFC 5958). Another key than the one that signs: a signing key need not be at hand when an enclave starts.
 */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { derOf, describeContent, pemBlocks } from '../../encoding/pem.ts';
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { X25519_KEY_BYTES } from '../set/kept-by.ts';
import { KeeperError } from './errors.ts';

const X25519_SPKI_BYTES = 12 + X25519_KEY_BYTES;

function refuse(name: string, message: string, found?: string): KeeperError {
  return new KeeperError('KEY_OPERATOR_KEY_INVALID', `${name}: ${message}`, found === undefined ? {} : { found });
}

/** @returns 32 bytes */
export function rawPublicKey(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' }).subarray(-X25519_KEY_BYTES);
}

/** @param name of the file. @returns X25519, 32 raw bytes. @throws KeeperError KEY_OPERATOR_KEY_INVALID */
export function readEncryptionKey(name: string, pem: Buffer): Buffer {
  const [block, ...others] = pemBlocks(pem);
  if (block?.label !== 'PUBLIC KEY' || others.length > 0) {
    throw refuse(name, 'it does not hold one PUBLIC KEY block', describeContent(pem));
  }
  const der = derOf(block);
  let key: KeyObject;
  try {
    key = createPublicKey({ key: der, format: 'der', type: 'spki' });
  } catch {
    throw refuse(name, 'the key is damaged');
  }
  if (key.asymmetricKeyType !== 'x25519' || der.length !== X25519_SPKI_BYTES) {
    throw refuse(name, 'the key is of another kind than X25519', key.asymmetricKeyType);
  }
  return rawPublicKey(key);
}

/** @param pem the caller zeroes it. @throws KeeperError KEY_OPERATOR_KEY_INVALID, KEY_OPERATOR_KEY_ENCRYPTED */
export function readDecryptionKey(name: string, pem: Buffer, passphrase?: SecretBuffer): KeyObject {
  const [block, ...others] = pemBlocks(pem);
  const labels = ['PRIVATE KEY', 'ENCRYPTED PRIVATE KEY'];
  if (block === undefined || others.length > 0 || !labels.includes(block.label)) {
    throw refuse(name, 'it does not hold one block PRIVATE KEY or ENCRYPTED PRIVATE KEY', describeContent(pem));
  }
  const isEncrypted = block.label === 'ENCRYPTED PRIVATE KEY';
  if (isEncrypted !== (passphrase !== undefined)) {
    const found = isEncrypted ? 'no passphrase' : 'a passphrase for a key that is not encrypted';
    throw new KeeperError('KEY_OPERATOR_KEY_ENCRYPTED', `the private key in ${name} cannot be opened`, { found });
  }
  const key = open(name, block.raw, passphrase);
  if (key.asymmetricKeyType === 'x25519') return key;
  throw refuse(name, 'the key is of another kind than X25519', key.asymmetricKeyType);
}

function open(name: string, pem: Buffer, passphrase: SecretBuffer | undefined): KeyObject {
  try {
    if (passphrase === undefined) return createPrivateKey({ key: pem, format: 'pem' });
    return passphrase.use((bytes) => createPrivateKey({ key: pem, format: 'pem', passphrase: bytes }));
  } catch {
    // OpenSSL's words could quote what is secret.
    if (passphrase === undefined) throw refuse(name, 'the private key is damaged');
    throw new KeeperError('KEY_OPERATOR_KEY_ENCRYPTED', `the passphrase does not open the key in ${name}`);
  }
}
