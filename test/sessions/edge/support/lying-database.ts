/** A database that does what a test tells it to, under a certificate that is in order. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import { createAuthority } from '../../../../emulator/pki/authority.ts';
import { systemClock } from '../../../../runtime/clock.ts';
import type { DatabaseTarget } from '../../../../sessions/edge/database-connection.ts';

const authority = await createAuthority({ commonName: 'Database CA', clock: systemClock });
export const DATABASE_CA: string = authority.certificatePem;
export const DATABASE_TLS = await authority.issue({
  commonName: 'db.test',
  kind: 'server',
  subjectAltNames: ['db.test', '127.0.0.1'],
});

type Teardown = { teardown(run: () => Promise<void>): void };

/** Hands over each connection behind its SSLRequest. */
export async function rawDatabase(t: Teardown, serve: (socket: Socket) => void): Promise<DatabaseTarget> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket
      .on('error', () => undefined)
      .once('readable', () => {
        socket.read();
        serve(socket);
      });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = { kind: 'tcp', host: '127.0.0.1', port: (server.address() as AddressInfo).port } as const;
  return { address, serverName: 'db.test', caPem: DATABASE_CA, minTls: 'TLSv1.3' };
}

/** Hands over each connection behind TLS and what comes first in it: the start-up packet. */
export function lyingDatabase(
  t: Teardown,
  serve: (socket: TLSSocket, first: Buffer) => void,
  shown = DATABASE_TLS,
): Promise<DatabaseTarget> {
  const secureContext = createSecureContext({ cert: shown.certificatePem, key: shown.privateKeyPem });
  return rawDatabase(t, (socket) => {
    socket.write('S');
    const secured = new TLSSocket(socket, { isServer: true, secureContext });
    secured.on('error', () => undefined).once('data', (first: Buffer) => serve(secured, first));
  });
}

/** A message of the database. */
export function say(type: string, body: Buffer | string): Buffer {
  const frame = Buffer.concat([Buffer.from(`${type}\0\0\0\0`), Buffer.from(body as string)]);
  frame.writeUInt32BE(frame.length - 1, 1);
  return frame;
}

/** An authentication message. */
export function ask(code: number, data: Buffer | string = ''): Buffer {
  return say('R', Buffer.concat([Buffer.of(0, 0, 0, code), Buffer.from(data as string)]));
}

export const OFFER: Buffer = ask(10, 'SCRAM-SHA-256\0\0');
