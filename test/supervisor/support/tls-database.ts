/** What a PostgreSQL with TLS says to a probe or to the beginning of a session: `S`, and a handshake. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import type { SecureContext } from 'node:tls';
import { TLSSocket } from 'node:tls';
import type { Test } from 'tap';

export async function databaseWithTls(t: Test, secureContext: SecureContext) {
  let startups = 0;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      socket.write('S');
      const tls = new TLSSocket(socket, { isServer: true, secureContext });
      tls.on('error', () => undefined);
      tls.once('data', () => {
        startups += 1;
        tls.end();
      });
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  return {
    address: { kind: 'tcp', host: '127.0.0.1', port } as const,
    /** How many sent something once TLS was there. */
    get startups() {
      return startups;
    },
  };
}
