/** What a PostgreSQL with TLS says to a probe: `S`, and a handshake. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import type { Test } from 'tap';

export interface DatabaseIdentity {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

export async function databaseWithTls(t: Test, { certificatePem, privateKeyPem }: DatabaseIdentity) {
  const secureContext = createSecureContext({ cert: certificatePem, key: privateKeyPem });
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      socket.write('S');
      new TLSSocket(socket, { isServer: true, secureContext }).on('error', () => undefined).resume();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return { kind: 'tcp', host: '127.0.0.1', port: (server.address() as AddressInfo).port } as const;
}
