/** A client's side of SCRAM-SHA-256 in the words of RFC 5802, apart from the product's code, so that it can be held against it. */
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';

const hmac = (key: Buffer, message: string) => createHmac('sha256', key).update(message).digest();

interface ClientAnswer {
  readonly clientFinal: string;
  readonly clientKey: Buffer;
  /** What the server has to answer. */
  readonly serverFinal: string;
}

/**
 * @param header `n,,`, `y,,` or `p=tls-server-end-point,,`
 * @param bare the first message behind the header
 */
export function honestAnswer(
  password: string,
  header: string,
  bare: string,
  serverFirst: string,
  binding: Buffer = Buffer.alloc(0),
): ClientAnswer {
  const [, nonce = '', salt = '', iterations = ''] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(serverFirst) ?? [];
  const saltedPassword = pbkdf2Sync(password, Buffer.from(salt, 'base64'), Number(iterations), 32, 'sha256');
  const clientKey = hmac(saltedPassword, 'Client Key');
  const withoutProof = `c=${Buffer.concat([Buffer.from(header), binding]).toString('base64')},r=${nonce}`;
  const message = `${bare},${serverFirst},${withoutProof}`;
  const signature = hmac(createHash('sha256').update(clientKey).digest(), message);
  const proof = Buffer.from(clientKey.map((byte, at) => byte ^ signature[at]!));
  const serverSignature = hmac(hmac(saltedPassword, 'Server Key'), message);
  return {
    clientKey,
    clientFinal: `${withoutProof},p=${proof.toString('base64')}`,
    serverFinal: `v=${serverSignature.toString('base64')}`,
  };
}
