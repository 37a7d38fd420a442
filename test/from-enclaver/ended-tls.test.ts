/** Where TLS ends in the enclave, nobody waits for a client that says nothing: in Enclaver one of them stops all handshakes of its port. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import t from 'tap';
import { freePort } from '../../emulator/free-port.ts';
import { AppPair } from './support/serving-app.ts';

const SILENT = 20;

t.test('serves a client beside others that say nothing in their handshake', async (t) => {
  const [inside, outside] = [await freePort(), await freePort()];
  const script = `require('net').createServer((socket) => socket.end('served')).listen(${inside}, '127.0.0.1')`;
  const app = await AppPair.start(t, {
    enclave: {
      programs: { one: { command: [process.execPath, '-e', script], probe: { tcp: `tcp://127.0.0.1:${inside}` } } },
      ingress: { web: { to: `tcp://127.0.0.1:${inside}`, vsockPort: 18_500, tls: 'ended' } },
      tls: { key: 'attested', names: ['web.example.org'] },
    },
    host: { ingress: { web: { listen: `tcp://127.0.0.1:${outside}`, vsockPort: 18_500 } } },
  });
  await app.ready();
  const silent = Array.from({ length: SILENT }, () => connect(outside, '127.0.0.1').on('error', () => undefined));
  t.teardown(() => {
    for (const socket of silent) socket.destroy();
  });
  await Promise.all(silent.map((socket) => once(socket, 'connect')));
  // Half a handshake, too.
  for (const socket of silent.slice(SILENT / 2)) socket.write(Buffer.from([0x16, 0x03, 0x01]));
  const client = connectTls({
    host: '127.0.0.1',
    port: outside,
    servername: 'web.example.org',
    rejectUnauthorized: false,
  });
  const [said] = await once(client.setEncoding('utf8'), 'data');
  t.equal(said, 'served');
  t.ok(
    silent.every((socket) => !socket.destroyed),
    'and they are still there',
  );
});
