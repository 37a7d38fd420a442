/** What strangers can make the enclave say, at will: bounded on its console and at the parent, and told. */
import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import { logLines, servingStack, step } from '../support/stack.ts';

const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
const CONNECTIONS = 150;
const AT_ONCE = 25;
/** The real acra-server writes three lines for each, and their errors differ; of each kind 20 pass. */
const MAX_RECORDS = 100;

/** Asks for TLS, and sends a record that is none. */
async function badHandshake({ host, port }: TcpEndpoint): Promise<void> {
  const socket = connect(port, host);
  socket.on('error', () => undefined);
  socket.write(SSL_REQUEST);
  socket.once('data', () => socket.end('\x16 no handshake at all'));
  await once(socket, 'close');
}

t.test('keeps a flood of bad handshakes out of the logs, and tells how many there were', async (t) => {
  const { stack, address } = await servingStack(t);
  for (let done = 0; done < CONNECTIONS; done += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, () => badHandshake(address)));
  }
  const { enclave } = stack;
  const flooded = (daemon: 'supervisor' | 'host-proxy') =>
    logLines(enclave, daemon).filter(
      ({ event, ...record }) => event === 'acra.log' && JSON.stringify(record).includes('handshake'),
    );
  await enclave.until(() => flooded('supervisor').length >= 20, step());
  await enclave.supervisor?.stop();
  await enclave.until(() => logLines(enclave, 'host-proxy').some(({ event }) => event === 'log.suppressed'), step());
  for (const daemon of ['supervisor', 'host-proxy'] as const) {
    t.ok(
      flooded(daemon).length <= MAX_RECORDS,
      `${daemon}: ${flooded(daemon).length} records of ${CONNECTIONS} handshakes`,
    );
    t.match(
      logLines(enclave, daemon).find(({ event }) => event === 'log.suppressed'),
      daemon === 'supervisor'
        ? { kind: /^acra\.log /, count: Number }
        : { fields: { kind: /^acra\.log /, count: Number } },
    );
  }
});
