/** `acra-enclave host-proxy`: answers commands about an enclave that something else runs. */
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import t, { type Test as TapTest } from 'tap';
import { request } from 'undici';
import { z } from 'zod';
import { hostProxySchema } from '../../config/host-proxy.ts';
import { HostProxyError } from '../../host-proxy/errors.ts';
import { ForwardingHost } from '../../host-proxy/forwarding-host.ts';
import { askDaemon } from '../../host-proxy/operator/command/client.ts';
import type { CommandReply, CommandRequest } from '../../host-proxy/operator/command/protocol.ts';
import { commandSocketPath } from '../../host-proxy/operator/command/runtime-folder.ts';
import type { HostStatus } from '../../host-proxy/operator/host-status.ts';
import { encodeFrame } from '../../wire/control/frame.ts';
import { rejectsCode } from '../support/coded-error.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const never = () => new AbortController().signal;

async function running(t: TapTest) {
  const folder = temporaryFolder(t);
  const runtimeFolder = join(folder, 'run');
  const config = hostProxySchema.parse({
    version: 1,
    enclave: { transport: 'vsock-uds', cid: 16, path: join(folder, 'vm') },
    ingress: { listen: 'tcp://127.0.0.1:0' },
    database: { connect: 'tcp://127.0.0.1:1' },
    kms: { connect: 'tcp://127.0.0.1:1' },
    admin: { listen: 'tcp://127.0.0.1:0' },
    health: { listen: 'tcp://127.0.0.1:0' },
    logs: { file: join(folder, 'log') },
    runtimeFolder,
  });
  const clock = new FakeClock();
  const host = new ForwardingHost(config, clock);
  const stop = new AbortController();
  const done = host.run(stop.signal);
  t.teardown(async () => {
    stop.abort();
    await done;
  });
  const ask = async (request: CommandRequest) => {
    const replies: CommandReply[] = [];
    await askDaemon(commandSocketPath(runtimeFolder), request, (reply) => replies.push(reply), never());
    return replies;
  };
  // It has started when it says so in its own records.
  while (!host.records.tail(10).some((line) => line.includes('host-proxy.started'))) await new Promise(setImmediate);
  const status = async (): Promise<HostStatus | undefined> =>
    (await ask({ command: 'status' })).find((reply) => reply.type === 'status')?.status;
  return { host, config, clock, ask, status, runtimeFolder, stop, done };
}

t.test('answers `status` and `logs`, and says that no enclave has reported', async (t) => {
  const { ask, status } = await running(t);
  t.match(await status(), { state: 'unknown', ready: false, machine: null, reason: { code: 'HOST_ENCLAVE_UNHEARD' } });
  const lines = (await ask({ command: 'logs', lines: 10, follow: false })).filter(({ type }) => type === 'line');
  t.ok(lines.length > 0);
});

t.test('tells load balancers that it is ready while the enclave serves and is heard, and no longer', async (t) => {
  const { host, clock, runtimeFolder } = await running(t);
  const record = host.records.tail(100).find((line) => line.includes('health.listening')) ?? '{}';
  const { address } = z.object({ address: z.string() }).parse(JSON.parse(record));
  const readiness = async () => {
    const { statusCode, body } = await request(`${address.replace('tcp:', 'http:')}/readyz`);
    await body.dump();
    return statusCode;
  };
  t.equal(await readiness(), 503);
  const enclave = createConnection({ path: join(runtimeFolder, 'control.sock') });
  t.teardown(() => enclave.destroy());
  enclave.write(encodeFrame({ type: 'hello', protocol: 1, bootId: 'b', release: '0', simulated: true }));
  const said = { phase: 'serve', detail: null, errorCode: null, sinceMs: 0 } as const;
  enclave.write(encodeFrame({ type: 'status', status: { state: 'serving', ...said } }));
  while (!host.status().ready) await new Promise(setImmediate);
  t.equal(await readiness(), 200);
  enclave.write(encodeFrame({ type: 'status', status: { state: 'stopping', ...said } }));
  while (host.status().state !== 'stopping') await new Promise(setImmediate);
  t.equal(await readiness(), 503, 'before its sessions have ended');
  clock.advance(20_001);
  t.equal(await readiness(), 503);
});

t.test('says why an enclave that was heard and fell silent is not ready', async (t) => {
  const { host, clock, status, runtimeFolder } = await running(t);
  const enclave = createConnection({ path: join(runtimeFolder, 'control.sock') });
  t.teardown(() => enclave.destroy());
  await once(enclave, 'connect');
  enclave.write(encodeFrame({ type: 'hello', protocol: 1, bootId: 'b', release: '0', simulated: true }));
  const said = { state: 'serving', phase: 'serve', detail: null, errorCode: null, sinceMs: 0 } as const;
  enclave.write(encodeFrame({ type: 'status', status: said }));
  while (host.status().publicAddress === null) await new Promise(setImmediate);
  t.match(await status(), { state: 'serving', ready: true, reason: null });
  clock.advance(20_001);
  t.match(await status(), {
    state: 'lost',
    ready: false,
    reason: { code: 'HOST_ENCLAVE_UNHEARD', message: /serving, phase serve/ },
  });
});

t.test(
  'rejects to stop an enclave that it does not run, or to show its console (HOST_ENCLAVE_NOT_RUN_HERE)',
  async (t) => {
    const { ask, status } = await running(t);
    const code = 'HOST_ENCLAVE_NOT_RUN_HERE';
    await t.rejects(ask({ command: 'stop' }), { code });
    await t.rejects(ask({ command: 'console', lines: 1, follow: false }), { code });
    t.ok(await status(), 'and goes on');
  },
);

t.test('ends who follows its log when it stops', async (t) => {
  const { ask, stop, done } = await running(t);
  const following = ask({ command: 'logs', lines: 0, follow: true });
  await ask({ command: 'status' });
  stop.abort();
  await done;
  t.match((await following).at(-1), { type: 'done', text: 'the daemon has stopped' });
});

t.test('rejects a second daemon in the same folder, and leaves the first alone (HOST_ALREADY_RUNNING)', async (t) => {
  const { config, status } = await running(t);
  const second = new ForwardingHost(config, new FakeClock());
  await rejectsCode(() => second.run(never()), HostProxyError, 'HOST_ALREADY_RUNNING');
  t.ok(await status());
});
