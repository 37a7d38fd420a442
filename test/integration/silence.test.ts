/**
 * Silent TCP connections on the public port: they reach neither vsock nor acra-server, keep nobody out, and whoever watches the
 * parent hears of them.
 */
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import t from 'tap';
import { connectThroughEnclave } from '../../cli/demo/clients.ts';
import { SSL_REQUEST } from '../../postgres/start-up.ts';
import { until } from '../relay/support/relay.ts';
import { logLines, servingStack, step } from '../support/stack.ts';

const HELD = 2_000;
const BETWEEN_SESSIONS = 12;
const SESSIONS = 50;
const PLACES = 20;

t.test(
  `serves ${SESSIONS} of ${SESSIONS} sessions through silence, and raises an alarm (ingress.shedding)`,
  async (t) => {
    const { stack, address } = await servingStack(t);
    const silent: Socket[] = [];
    const addSilent = () => silent.push(connect(address).on('error', () => undefined));
    for (let count = 0; count < HELD; count++) addSilent();
    t.teardown(() => {
      for (const socket of silent) socket.destroy();
    });
    let served = 0;
    for (let session = 0; session < SESSIONS; session++) {
      for (let count = 0; count < BETWEEN_SESSIONS; count++) addSilent();
      const client = await connectThroughEnclave(stack, address);
      const { rows } = await client.query('SELECT 1 AS one');
      if (rows.length === 1) served += 1;
      await client.end();
    }
    t.equal(served, SESSIONS);
    const status = await stack.enclave.until(({ shedding }) => shedding.active, step());
    t.match(status, { ready: true, state: 'serving' });
    t.ok(status.shedding.total > 500, `${status.shedding.total} were shed`);
    t.match(
      logLines(stack.enclave, 'host-proxy').find(({ event }) => event === 'ingress.shedding'),
      { stage: 'began' },
    );
  },
);

t.test('serves a session although 9 bytes each have taken every place, and sheds no session for it', async (t) => {
  const limits = { maxConnections: PLACES, prefaceTimeoutMs: 300 };
  const { stack, address } = await servingStack(t, { hostSettings: { limits } });
  const faithful = await connectThroughEnclave(stack, address);
  t.teardown(() => faithful.end());
  const held: Socket[] = [];
  t.teardown(() => {
    for (const socket of held) socket.destroy();
  });
  for (let count = 0; count < PLACES; count++) {
    const socket = connect(address).on('error', () => undefined);
    socket.write(SSL_REQUEST);
    // Answered `S`, or closed: all places were taken.
    socket.once('data', () => socket.write(Buffer.of(0x16)));
    held.push(socket);
  }
  await until(async () => {
    const client = await connectThroughEnclave(stack, address).catch(() => undefined);
    const answer = await client?.query('SELECT 1 AS one');
    await client?.end();
    return answer?.rows.length === 1;
  });
  t.match(await faithful.query('SELECT 2 AS two'), { rows: [{ two: 2 }] });
});
