/** The keys of one user, and honest messages of SCRAM made with them in the words of RFC 5802, quickly enough for millions. */
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import type { ScramVerifier } from '../../../postgres/scram/verifier.ts';
import type { Random } from '../../../runtime/random.ts';
import { SecretBuffer } from '../../../runtime/secret-buffer.ts';

export const PLAIN = 'SCRAM-SHA-256';
export const BOUND_FLAG = 'p=tls-server-end-point';
export const BINDING: Buffer = Buffer.alloc(32, 7);
export const SALT: Buffer = Buffer.from('salt of 16 bytes');
export const ITERATIONS = 4096;

const hmac = (key: Buffer, message: Buffer | string) => createHmac('sha256', key).update(message).digest();
const saltedPassword = pbkdf2Sync('pencil', SALT, ITERATIONS, 32, 'sha256');
const clientKey = hmac(saltedPassword, 'Client Key');
const storedKey = createHash('sha256').update(clientKey).digest();
const serverKey = hmac(saltedPassword, 'Server Key');

const secretOf = (key: Buffer) => SecretBuffer.take(Buffer.from(key));

/** Nobody disposes of them. */
export const VERIFIER: ScramVerifier = {
  iterations: ITERATIONS,
  salt: SALT,
  storedKey: secretOf(storedKey),
  serverKey: secretOf(serverKey),
};
export const CLIENT_KEY: SecretBuffer = secretOf(clientKey);
export const VERIFIER_TEXT: Buffer = Buffer.from(
  `${PLAIN}$${ITERATIONS}:${SALT.toString('base64')}$${storedKey.toString('base64')}:${serverKey.toString('base64')}`,
);
/** The same nonce each time. */
export const fixedRandom: Random = { bytes: (length) => Buffer.alloc(length, 5) };

interface Answers {
  readonly clientFinal: Buffer;
  readonly serverFinal: Buffer;
}

/** The client's last message without its proof. @param header of the first one, with its two commas */
export function withoutProof(header: string, serverFirst: Buffer): Buffer {
  const nonce = /^r=([^,]+)/.exec(serverFirst.toString('latin1'))?.[1] ?? '';
  const binding = header.startsWith('p') ? BINDING : Buffer.alloc(0);
  return Buffer.from(`c=${Buffer.concat([Buffer.from(header), binding]).toString('base64')},r=${nonce}`);
}

/** @param bare what stands behind the header; `beginning` is the last message without its proof, right or not */
export function signedAnswers(bare: Buffer, serverFirst: Buffer, beginning: Buffer): Answers {
  const signed = Buffer.concat([bare, Buffer.from(','), serverFirst, Buffer.from(','), beginning]);
  const signature = hmac(storedKey, signed);
  const proof = Buffer.from(clientKey.map((byte, at) => byte ^ (signature[at] ?? 0)));
  return {
    clientFinal: Buffer.concat([beginning, Buffer.from(`,p=${proof.toString('base64')}`)]),
    serverFinal: Buffer.from(`v=${hmac(serverKey, signed).toString('base64')}`),
  };
}

export function honestAnswers(header: string, bare: Buffer, serverFirst: Buffer): Answers {
  return signedAnswers(bare, serverFirst, withoutProof(header, serverFirst));
}
