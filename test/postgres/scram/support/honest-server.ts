/** The database's side of SCRAM-SHA-256 in the words of RFC 5802, apart from the product's code, so that it can be held against it. */
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';

const hmac = (key: Buffer, message: string) => createHmac('sha256', key).update(message).digest();

export interface HonestServer {
  readonly serverFirst: Buffer;
  /** Whether the proof in the client's last message is right, and the answer to it. */
  judge(clientFinal: Buffer): { readonly isRight: boolean; readonly serverFinal: Buffer };
}

export interface HonestServerOptions {
  readonly password: string;
  readonly clientFirst: Buffer;
  readonly serverNonce?: string;
  readonly salt?: Buffer;
  readonly iterations?: number;
}

export function honestServer(options: HonestServerOptions): HonestServer {
  const {
    password,
    clientFirst,
    serverNonce = 'server-nonce',
    salt = Buffer.from('salt of 16 bytes'),
    iterations = 4096,
  } = options;
  const bare = /^[^,]*,[^,]*,(.*)$/.exec(clientFirst.toString())?.[1] ?? '';
  const clientNonce = /r=([^,]*)/.exec(bare)?.[1] ?? '';
  const serverFirst = `r=${clientNonce}${serverNonce},s=${salt.toString('base64')},i=${iterations}`;
  const saltedPassword = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  return {
    serverFirst: Buffer.from(serverFirst),
    judge(clientFinal) {
      const [, withoutProof = '', proof = ''] = /^(.*),p=([^,]*)$/.exec(clientFinal.toString()) ?? [];
      const message = `${bare},${serverFirst},${withoutProof}`;
      const storedKey = createHash('sha256').update(hmac(saltedPassword, 'Client Key')).digest();
      const signature = hmac(storedKey, message);
      const clientKey = Buffer.from(Buffer.from(proof, 'base64').map((byte, at) => byte ^ signature[at]!));
      const isRight = createHash('sha256').update(clientKey).digest().equals(storedKey);
      const serverSignature = hmac(hmac(saltedPassword, 'Server Key'), message);
      return { isRight, serverFinal: Buffer.from(`v=${serverSignature.toString('base64')}`) };
    },
  };
}
