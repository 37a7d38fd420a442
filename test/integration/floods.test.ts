/** What strangers can make the enclave say, at will: bounded on its console and at the parent, and told. */
import { connect } from 'node:net';
import t from 'tap';
import type { StackOptions } from '../../cli/demo/stack.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import { closed } from '../support/closed.ts';
import { IN_LINE, logLines, servingStack, step } from '../support/stack.ts';

const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
const CONNECTIONS = 150;
const AT_ONCE = 25;
/** The real acra-server writes three lines for each, and their errors differ; of each kind 20 pass. */
const MAX_RECORDS = 100;

/** Asks for TLS, and sends a record that is none. */
async function badHandshake({ host, port }: TcpEndpoint): Promise<void> {
  const socket = connect(port, host);
  socket.write(SSL_REQUEST);
  socket.once('data', () => socket.end('\x16 no handshake at all'));
  await closed(socket);
}

/** So that the front hears them all, however fast they come. */
const HEARS_ALL: Partial<StackOptions> = {
  enclaveSettings: { ingress: { limits: { maxFailuresPerSecond: 100_000 } } },
};

const PLACES: readonly [where: string, event: string, options: Partial<StackOptions>][] = [
  ['the front', 'front.refused', HEARS_ALL],
  ['acra-server in line', 'acra.log', IN_LINE],
];

for (const [where, event, options] of PLACES) {
  t.test(`keeps a flood of bad handshakes with ${where} out of the logs, and tells how many there were`, async (t) => {
    const { stack, address } = await servingStack(t, options);
    for (let done = 0; done < CONNECTIONS; done += AT_ONCE) {
      await Promise.all(Array.from({ length: AT_ONCE }, () => badHandshake(address)));
    }
    const { enclave } = stack;
    const flooded = (daemon: 'supervisor' | 'host-proxy') =>
      logLines(enclave, daemon).filter(
        ({ event: each, ...record }) => each === event && JSON.stringify(record).includes('handshake'),
      );
    await enclave.until(() => flooded('supervisor').length >= 20, step());
    await enclave.supervisor?.stop();
    await enclave.until(() => logLines(enclave, 'host-proxy').some((line) => line.event === 'log.suppressed'), step());
    const kind = new RegExp(`^${event} `.replace('.', '\\.'));
    for (const daemon of ['supervisor', 'host-proxy'] as const) {
      t.ok(
        flooded(daemon).length <= MAX_RECORDS,
        `${daemon}: ${flooded(daemon).length} records of ${CONNECTIONS} handshakes`,
      );
      t.match(
        logLines(enclave, daemon).find((line) => line.event === 'log.suppressed'),
        daemon === 'supervisor' ? { kind, count: Number } : { fields: { kind, count: Number } },
      );
    }
  });
}
