/**
 * Silent TCP connections on the public port: they reach neither vsock nor acra-server, keep nobody out, and whoever watches the
 * parent hears of them.
 */
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import t from 'tap';
import { connectThroughEnclave } from '../../cli/demo/clients.ts';
import { logLines, servingStack, step } from '../support/stack.ts';

const HELD = 2_000;
/** What came in a second where this was seen, and here between two sessions, which take less. */
const A_SECOND = 12;
const SESSIONS = 50;

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
      for (let count = 0; count < A_SECOND; count++) addSilent();
      const client = await connectThroughEnclave(stack, address);
      const { rows } = await client.query('SELECT 1 AS one');
      if (rows.length === 1) served += 1;
      await client.end();
    }
    t.equal(served, SESSIONS);
    const status = await stack.enclave.until(({ shedding }) => shedding.active, step());
    t.match(status, { ready: true, state: 'serving' });
    t.ok(status.shedding.total > 1_000, `${status.shedding.total} were shed`);
    t.match(
      logLines(stack.enclave, 'host-proxy').find(({ event }) => event === 'ingress.shedding'),
      { stage: 'began' },
    );
  },
);
