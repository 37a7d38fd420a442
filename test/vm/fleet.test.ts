/** Two acra-servers in one enclave: what becomes of one does not touch the other. */
import pg from 'pg';
import t from 'tap';
import { ENCLAVE_NAME } from '../../cli/demo/certificates.ts';
import { connectThroughEnclave } from '../../cli/demo/clients.ts';
import { APPLICATION, DATABASE } from '../../cli/demo/database.ts';
import { untilAborted } from '../../runtime/abort.ts';
import { EnclaveStack, step } from '../enclave/support/enclave-stack.ts';
import { SECOND_PORT, SECOND_UID } from './support/fleet.ts';
import { askGuest, dialGuest } from './support/guest-port.ts';
import type { SabotageAnswer, SabotageRequest } from './support/sabotage.ts';
import { SABOTAGE_PORT } from './support/sabotage.ts';

async function sabotage(stack: EnclaveStack, request: SabotageRequest): Promise<SabotageAnswer> {
  return JSON.parse(await askGuest(stack.guestPath, SABOTAGE_PORT, JSON.stringify(request), step())) as SabotageAnswer;
}

/** A session through the second acra-server, by its own port of the guest. */
async function connectToSecond(stack: EnclaveStack): Promise<pg.Client> {
  const socket = await dialGuest(stack.guestPath, SECOND_PORT, step());
  if (!socket) throw new Error('nobody listens for the second acra-server');
  const { applicationCaPem, client } = stack.parts.certificates;
  // The connection is there already.
  const stream = Object.assign(socket, { connect: () => setImmediate(() => socket.emit('connect')) });
  const connection = new pg.Client({
    stream: () => stream,
    host: ENCLAVE_NAME,
    database: DATABASE,
    ...APPLICATION,
    ssl: { ca: applicationCaPem, cert: client.certificatePem, key: client.privateKeyPem },
  });
  connection.on('error', () => undefined);
  await connection.connect();
  return connection;
}

t.test('two acra-servers in one machine', async (t) => {
  const stack = await EnclaveStack.prepare(t, {
    ingress: { tls: 'passthrough' },
    health: { probeIntervalMs: 2_000, probeTimeoutMs: 3_000 },
  });
  const { address } = await stack.serve({ init: 'test/vm/images/fleet.ts' });
  const first = await connectThroughEnclave(stack, address);
  const second = await connectToSecond(stack);
  await first.query("INSERT INTO patients (id, name, email, diagnosis) VALUES (1, 'A', 'a@example.org', 'gout')");

  await t.test('reads through both what one of them wrote', async (t) => {
    for (const session of [first, second])
      t.same((await session.query('SELECT diagnosis FROM patients WHERE id = 1')).rows, [{ diagnosis: 'gout' }]);
  });

  await t.test('keeps the second one’s sessions when the first is killed, and the first comes back', async (t) => {
    const ended = new Promise<void>((resolve) => first.once('end', () => resolve()));
    const { pid } = await sabotage(stack, { do: 'signal-acra', signal: 'SIGKILL' });
    t.type(pid, 'number');
    await untilAborted(ended, step());
    t.same((await second.query('SELECT diagnosis FROM patients WHERE id = 1')).rows, [{ diagnosis: 'gout' }]);
    await stack.untilRecord(
      ({ event, fields }) =>
        event === 'child.ready' && fields?.['child'] === 'acra-server' && Number(fields?.['pid']) > Number(pid),
    );
    await stack.until(({ ready }) => ready);
    t.same((await second.query('SELECT diagnosis FROM patients WHERE id = 1')).rows, [{ diagnosis: 'gout' }]);
    const again = await connectThroughEnclave(stack, address);
    t.same((await again.query('SELECT diagnosis FROM patients WHERE id = 1')).rows, [{ diagnosis: 'gout' }]);
    await again.end();
  });

  await t.test('keeps the first one’s sessions when the second is killed', async (t) => {
    const bystander = await connectThroughEnclave(stack, address);
    const ended = new Promise<void>((resolve) => second.once('end', () => resolve()));
    const { pid } = await sabotage(stack, { do: 'signal-acra', signal: 'SIGKILL', uid: SECOND_UID });
    t.type(pid, 'number', 'it runs as a user of its own');
    await untilAborted(ended, step());
    t.same((await bystander.query('SELECT diagnosis FROM patients WHERE id = 1')).rows, [{ diagnosis: 'gout' }]);
    await stack.untilRecord(({ event, fields }) => event === 'child.exited' && fields?.['child'] === 'acra-second');
    const exits = stack.records().filter(({ event }) => event === 'child.exited');
    t.same(
      exits.map(({ fields }) => fields?.['child']),
      ['acra-server', 'acra-second'],
    );
    await bystander.end();
  });
});
