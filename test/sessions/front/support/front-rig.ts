/** A front on a unix socket with a stub in the place of the guard, and clients with certificates of every kind. */
import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { createAuthority } from '../../../../emulator/pki/authority.ts';
import { systemClock } from '../../../../runtime/clock.ts';
import { SecretBuffer } from '../../../../runtime/secret-buffer.ts';
import { Front } from '../../../../sessions/front/front.ts';
import type { FrontLimits } from '../../../../sessions/front/limits.ts';
import type { ServeFront } from '../../../../sessions/messages.ts';
import { readOpening, type SessionOpening } from '../../../../sessions/opening.ts';
import { encodeProxyHeader } from '../../../../wire/proxy-protocol.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { MemoryLogger } from '../../../support/memory-logger.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const DAY_MS = 86_400_000;
const authority = await createAuthority({ commonName: 'Clients', clock: systemClock });
const foreign = await createAuthority({ commonName: 'Clients', clock: systemClock });
export const newServerTls = () =>
  authority.issue({ commonName: 'enclave', kind: 'server', subjectAltNames: ['enclave.test'] });
const serverTls = await newServerTls();
const past = new Date(Date.now() - DAY_MS);
export const CERTIFICATES = {
  good: await authority.issue({ commonName: 'app', kind: 'client' }),
  foreign: await foreign.issue({ commonName: 'app', kind: 'client' }),
  expired: await authority.issue({ commonName: 'app', kind: 'client', notBefore: new Date(0), notAfter: past }),
  'not for clients': await authority.issue({ commonName: 'app', kind: 'server' }),
} as const;

export const LIMITS: FrontLimits = {
  firstByteMs: 5_000,
  startupMs: 5_000,
  tlsMs: 10_000,
  loginMs: 15_000,
  maxPending: 10,
  maxSessions: 5,
  maxSessionsPerClient: 3,
  maxConnectionsPerAddress: 10,
  maxFailuresPerSecond: 20,
  attestation: {
    maxConnections: 20,
    maxPerSecond: 20,
    maxPerSecondPerAddress: 20,
    handshakeMs: 5_000,
    requestMs: 5_000,
    answerMs: 10_000,
  },
};
const SSL_REQUEST = Buffer.from('0000000804d2162f', 'hex');

type Teardown = Parameters<typeof temporaryFolder>[0];

interface Handed {
  readonly opening: SessionOpening;
  readonly socket: Socket;
}

async function stubGuard(t: Teardown, path: string) {
  const waiting: ((handed: Handed) => void)[] = [];
  const server = createServer(async (socket) => {
    t.teardown(() => socket.destroy());
    socket.on('error', () => undefined);
    const opening = await readOpening(socket, AbortSignal.timeout(20_000)).catch(() => undefined);
    if (opening) waiting.shift()?.({ opening, socket });
  });
  server.listen(path);
  await once(server, 'listening');
  t.teardown(() => server.close());
  /** The next session that is handed over. */
  return { next: () => new Promise<Handed>((resolve) => waiting.push(resolve)), close: () => server.close() };
}

export async function frontRig(t: Teardown, change: Partial<ServeFront> = {}) {
  const folder = temporaryFolder(t);
  const [listenPath, guardPath] = [join(folder, 'front'), join(folder, 'guard')];
  const guard = await stubGuard(t, guardPath);
  const [clock, logger] = [new FakeClock(Date.now()), new MemoryLogger()];
  const asked: string[] = [];
  const send = (message: { readonly type: string; readonly clientId?: string }) => {
    if (message.type !== 'guard-wanted' || message.clientId === undefined) return;
    asked.push(message.clientId);
    front.answered({ type: 'guard', clientId: message.clientId, path: guardPath });
  };
  const nobody = { kind: 'tcp', host: '127.0.0.1', port: 1 } as const;
  const options: ServeFront = {
    type: 'serve',
    listenPath,
    certificatePem: serverTls.certificatePem,
    clientCaPem: authority.certificatePem,
    minTls: 'TLSv1.3',
    clientIdFrom: 'distinguished_name',
    revoked: [],
    database: { address: nobody, serverName: 'db.test', caPem: authority.certificatePem, minTls: 'TLSv1.3' },
    limits: LIMITS,
    ...change,
  };
  const front = new Front({ send, logger, clock }, options, SecretBuffer.take(Buffer.from(serverTls.privateKeyPem)));
  await front.start();
  t.teardown(() => front.drain());

  const plain = async () => {
    const socket = createConnection(listenPath).on('error', () => undefined);
    t.teardown(() => socket.destroy());
    await once(socket, 'connect');
    // What the parent says in front of every connection; of nobody's address.
    socket.write(encodeProxyHeader(undefined));
    return socket;
  };
  /** Shakes hands; what is wrong with the certificate is told later. */
  const secured = async (
    certificate: keyof typeof CERTIFICATES | 'none' = 'good',
    more: ConnectionOptions & { readonly isDirect?: boolean } = {},
  ): Promise<TLSSocket> => {
    const socket = await plain();
    if (!more.isDirect) {
      socket.write(SSL_REQUEST);
      await once(socket, 'readable');
      if (String(socket.read()) !== 'S') throw new Error('no TLS');
    }
    const issued = certificate === 'none' ? undefined : CERTIFICATES[certificate];
    const own = issued ? { cert: issued.certificatePem, key: issued.privateKeyPem } : {};
    const tls = connectTls({
      socket,
      ca: authority.certificatePem,
      servername: 'enclave.test',
      ...own,
      ...more,
    } as ConnectionOptions);
    tls.on('error', () => undefined);
    await once(tls, 'secureConnect');
    return tls;
  };
  return { front, clock, logger, asked, guard, plain, secured };
}
