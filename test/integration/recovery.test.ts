/** What happens when parts die: who comes back, who stays, and what is told. */
import { createConnection } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { connectThroughEnclave } from '../../cli/demo/clients.ts';
import type { Stack } from '../../cli/demo/stack.ts';
import type { HostStatus } from '../../host-proxy/operator/host-status.ts';
import { closed } from '../support/closed.ts';
import { acraPid, IN_LINE, logLines, servingStack, step } from '../support/stack.ts';

const ROW = "INSERT INTO patients (id, name, email, diagnosis) VALUES (1, 'A', 'a@example.org', 'gout')";

/** Until the enclave serves with another acra-server than the one that had this pid. */
async function untilReplaced(stack: Stack, pid: number): Promise<void> {
  await stack.enclave.until((status) => status.ready && acraPid(stack.enclave) !== pid, step());
}

t.test('acra-server killed: it comes back, sessions end cleanly, nothing else is disturbed', async (t) => {
  const { stack, address } = await servingStack(t, IN_LINE);
  const session = await connectThroughEnclave(stack, address);
  await session.query(ROW);
  const ended = new Promise<void>((resolve) => session.on('end', () => resolve()));
  const { supervisor, hostProxy } = stack.enclave;
  const pids = [supervisor?.pid, hostProxy?.pid];
  const pid = acraPid(stack.enclave);
  const killedMs = performance.now();
  process.kill(pid, 'SIGKILL');
  await ended;
  await untilReplaced(stack, pid);
  const fresh = await connectThroughEnclave(stack, address);
  t.comment(`serving again after ${Math.round(performance.now() - killedMs)} ms`);
  t.same((await fresh.query('SELECT diagnosis FROM patients WHERE id = 1')).rows, [{ diagnosis: 'gout' }]);
  t.same([supervisor?.pid, hostProxy?.pid], pids);
  t.equal(supervisor?.exit ?? hostProxy?.exit, undefined);
  await fresh.end();
});

t.test(
  'acra-server killed ten times in a row: the breaker opens, nothing spins, and it comes back by itself',
  async (t) => {
    const restart = { minMs: 10, maxMs: 50, breakerRetryMs: 3_000 };
    const { stack } = await servingStack(t, { enclaveSettings: { ...IN_LINE.enclaveSettings, restart } });
    for (let kills = 0; kills < 10; kills += 1) {
      const pid = acraPid(stack.enclave);
      process.kill(pid, 'SIGKILL');
      if (kills < 9) await untilReplaced(stack, pid);
    }
    const isOpen = (status: HostStatus) => status.enclave?.errorCode === 'CHILD_BREAKER_OPEN';
    const status = await stack.enclave.until(isOpen, step());
    t.match(status, { state: 'degraded', ready: false, reason: { code: 'CHILD_BREAKER_OPEN' } });
    const launches = logLines(stack.enclave, 'supervisor').filter(({ event }) => event === 'child.launched').length;
    t.equal(launches, 10, 'one start and nine restarts, no more');
    const address = await stack.enclave.untilServing(step());
    const session = await connectThroughEnclave(stack, address);
    t.same((await session.query('SELECT 1 AS one')).rows, [{ one: 1 }], 'nobody had to come');
    await session.end();
  },
);

t.test('acra-server that runs and accepts nothing: three probes, and another one serves', async (t) => {
  const health = { probeIntervalMs: 200, probeTimeoutMs: 500 };
  const { stack } = await servingStack(t, { enclaveSettings: { ...IN_LINE.enclaveSettings, health } });
  const pid = acraPid(stack.enclave);
  process.kill(pid, 'SIGSTOP');
  const red = await stack.enclave.until(({ enclave }) => enclave?.state === 'degraded', step());
  t.match(red, { ready: false, enclave: { errorCode: /CHILD_DEAF|ACRA_EXIT_UNRESPONSIVE/ } });
  await untilReplaced(stack, pid);
  const address = await stack.enclave.untilServing(step());
  const session = await connectThroughEnclave(stack, address);
  t.same((await session.query('SELECT 1 AS one')).rows, [{ one: 1 }]);
  await session.end();
  const lines = logLines(stack.enclave, 'supervisor');
  t.match(
    lines.find(({ event }) => event === 'child.deaf'),
    { child: 'acra-server', probes: 3 },
  );
  t.match(
    lines.find(({ event }) => event === 'child.exited'),
    { code: 'ACRA_EXIT_UNRESPONSIVE' },
  );
});

t.test(
  'host-proxy killed and restarted: the enclave comes back by itself, with the log records made meanwhile',
  async (t) => {
    const { stack } = await servingStack(t);
    const { enclave } = stack;
    const pid = acraPid(enclave);
    enclave.hostProxy?.kill('SIGKILL');
    await enclave.hostProxy?.exited;
    process.kill(pid, 'SIGKILL');
    await enclave.startHostProxy();
    const address = await enclave.untilServing(step());
    await untilReplaced(stack, pid);
    const session = await connectThroughEnclave(stack, address);
    t.same((await session.query('SELECT 1 AS one')).rows, [{ one: 1 }]);
    await session.end();
    const { logs } = await enclave.until((status) => status.logs.received > 0, step());
    const seqs = logLines(enclave, 'host-proxy')
      .filter(({ source }) => source === 'enclave')
      .map(({ seq }) => Number(seq));
    const distinct = [...new Set(seqs)].sort((a, b) => a - b);
    t.equal((distinct.at(-1) ?? 0) - distinct.length, logs.dropped, 'every record arrived or is counted as dropped');
    t.ok(
      logLines(enclave, 'host-proxy').some(({ event, source }) => source === 'enclave' && event === 'child.exited'),
      'the exit in between is among them',
    );
  },
);

t.test('the supervisor killed: acra-server dies with it, the public port closes', async (t) => {
  const { stack } = await servingStack(t);
  const { enclave } = stack;
  const pid = acraPid(enclave);
  enclave.supervisor?.kill('SIGKILL');
  await enclave.supervisor?.exited;
  const lost = await enclave.until(({ state, publicAddress }) => state === 'lost' && publicAddress === null, step());
  t.match(lost, { ready: false, reason: { code: 'HOST_ENCLAVE_UNHEARD', message: /serving, phase serve/ } });
  t.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
});

t.test('a supervisor that was killed starts again over what it left behind', async (t) => {
  const { stack } = await servingStack(t);
  const { enclave } = stack;
  const { bootId } = await enclave.until(({ ready }) => ready, step());
  enclave.supervisor?.kill('SIGKILL');
  await enclave.supervisor?.exited;
  enclave.startSupervisor();
  await enclave.until((status) => status.bootId !== bootId, step());
  const address = await enclave.untilServing(step());
  const session = await connectThroughEnclave(stack, address);
  t.same((await session.query('SELECT 1 AS one')).rows, [{ one: 1 }]);
  await session.end();
});

t.test('rejects garbage on every way in without harm', async (t) => {
  const { stack, address } = await servingStack(t);
  for (const bytes of ['', 'GET / HTTP/1.1\r\n\r\n', '\x7f\xff\xff\xff\x00\x00\x00\x00', '\x00\x00\x00\x03']) {
    const socket = createConnection({ host: address.host, port: address.port });
    socket.end(Buffer.from(bytes, 'latin1'));
    await closed(socket);
  }
  const control = createConnection({ path: join(stack.options.root, 'sim', 'vm.vsock') });
  control.end('CONNECT 9999\n');
  await closed(control);
  const session = await connectThroughEnclave(stack, address);
  t.same((await session.query('SELECT 1 AS one')).rows, [{ one: 1 }]);
  await session.end();
});
