/** A database that lies up to its login, before TLS, in TLS and behind it: the client is told, in time, and sessions that there are go on. */
import type { Socket } from 'node:net';
import t from 'tap';
import { createAuthority } from '../../emulator/pki/authority.ts';
import { systemClock } from '../../runtime/clock.ts';
import { step } from '../support/stack.ts';
import { type LiedTo, liedToStack } from './support/attacked.ts';
import { holdLogin, holdLoginLie } from './support/cases.ts';
import { HonestClient, holdHonest, tellHonest } from './support/honest.ts';
import { LOGIN_LIES } from './support/login-lies.ts';
import { RawClient } from './support/raw-client.ts';

const DATABASE = 'database.demo.internal';

/** What it does before TLS; everything that it may do is an end with 08006. */
async function earlyLies({ database }: LiedTo): Promise<Readonly<Record<string, (socket: Socket) => void>>> {
  const other = await createAuthority({ commonName: 'another CA', clock: systemClock });
  const own = { subjectAltNames: [DATABASE], commonName: DATABASE, kind: 'server' } as const;
  const shown = async (issued: ReturnType<typeof other.issue>) => {
    const { certificatePem: cert, privateKeyPem: key } = await issued;
    return (socket: Socket) => database.secure(socket.pause(), { cert, key });
  };
  return {
    'does not offer TLS': (socket) => void socket.write('N'),
    'answers with an error in clear': (socket) => void socket.end('ENo TLS here\0'),
    'answers with something else': (socket) => void socket.write('X'),
    'stuffs a login behind its S': (socket) =>
      void socket.write(Buffer.from('SR\0\0\0\x08\0\0\0\0Z\0\0\0\x05I', 'latin1')),
    'sends junk for a handshake': (socket) => void socket.write('S', () => socket.write(Buffer.alloc(70_000, 0x16))),
    'ends behind its S': (socket) => void socket.end('S'),
    'ends without a word': (socket) => void socket.end(),
    'cuts the connection': (socket) => void socket.resetAndDestroy(),
    'cuts the connection behind its S': (socket) => void socket.write('S', () => socket.resetAndDestroy()),
    'speaks TLS 1.2': (socket) => database.secure(socket.pause(), { maxVersion: 'TLSv1.2' }),
    'shows a certificate of another CA': await shown(other.issue(own)),
    'speaks another protocol in TLS': (socket) => database.secure(socket.pause(), { ALPNProtocols: ['h2'] }),
  };
}

t.test('a database that lies up to its login', { timeout: 300_000 }, async (t) => {
  const target = await liedToStack(t);
  const { stack, database } = target;
  const honest = await HonestClient.start(t, target, { comesAnew: false });
  for (const [name, lie] of Object.entries(LOGIN_LIES)) {
    await t.test(`${name}: ${lie.told}`, (t) => holdLoginLie(t, target, honest, name, lie));
  }
  for (const [name, lie] of Object.entries(await earlyLies(target))) {
    await t.test(`${name}: 08006`, async (t) => {
      database.early = lie;
      await holdLogin(t, target, name, '08006');
      database.early = undefined;
      const report = await honest.report();
      tellHonest(t, name, report);
      holdHonest(t, name, report);
    });
  }
  await stack.enclave.until(({ ready }) => ready, step());
  const fresh = await RawClient.open(target, stack.parts.certificates.client);
  fresh.socket.destroy();
  await honest.end();
});
