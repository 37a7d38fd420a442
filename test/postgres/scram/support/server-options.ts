/** A server's side with the verifier of one user, whose password is PASSWORD. */
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import type { ScramServerOptions } from '../../../../postgres/scram/server.ts';
import type { ScramVerifier } from '../../../../postgres/scram/verifier.ts';
import { SecretBuffer } from '../../../../runtime/secret-buffer.ts';
import { seededRandom } from '../../../support/seeded-random.ts';
import { PASSWORD } from './refusals.ts';

export const PLAIN = 'SCRAM-SHA-256';
export const PLUS = 'SCRAM-SHA-256-PLUS';
export const BOUND = 'p=tls-server-end-point,,';
export const BINDING: Buffer = Buffer.alloc(32, 7);

const SALT = Buffer.from('salt of 16 bytes');
const saltedPassword = pbkdf2Sync(PASSWORD, SALT, 4096, 32, 'sha256');
const keyOf = (name: string) => createHmac('sha256', saltedPassword).update(name).digest();

function verifier(): ScramVerifier {
  const storedKey = createHash('sha256').update(keyOf('Client Key')).digest();
  return {
    iterations: 4096,
    salt: SALT,
    storedKey: SecretBuffer.take(storedKey),
    serverKey: SecretBuffer.take(keyOf('Server Key')),
  };
}

type Given = ScramServerOptions & { readonly verifier: ScramVerifier };

export function serverOptions({ seed = 'server', mockSecret = 'mock' } = {}): Given {
  return {
    user: 'app',
    verifier: verifier(),
    mock: { secret: SecretBuffer.take(seededRandom(mockSecret).bytes(32)), iterations: 4096 },
    random: seededRandom(seed),
    channelBinding: BINDING,
  };
}
