/** The whole of `acra-enclave run` with stand-ins for QEMU and vhost-device-vsock; the real ones are in enclave/qemu/. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test as TapTest } from 'tap';
import { HostProxyError } from '../../host-proxy/errors.ts';
import { EnclaveError } from '../../host-proxy/machine/errors.ts';
import { PROJECT } from '../project/imports.ts';
import { rejectsCode } from '../support/coded-error.ts';
import { processEnd } from '../support/process-end.ts';
import { processesNaming } from '../support/processes.ts';
import { untilChanged } from '../support/watched-files.ts';
import type { FakeMachine, GuestPlan } from './machine/support/fake-machine.ts';
import { fakeMachine } from './machine/support/fake-machine.ts';
import { RunningHost } from './machine/support/running-host.ts';

const prepare = (t: TapTest, plan: GuestPlan, settings?: Record<string, unknown>) =>
  new RunningHost(fakeMachine(t, plan, settings));

function nothingLeft(t: TapTest, { folder, config }: FakeMachine): void {
  t.same(readdirSync(config.runtimeFolder), [], 'no socket');
  t.same(processesNaming(join(folder, 'fake-')), [], 'no process');
}

t.test('opens the routes, starts the enclave, is ready when it serves, and stops in order', async (t) => {
  const running = prepare(t, { does: 'serve' });
  const done = running.run();
  await running.untilOpen();
  t.match(running.host.status(), {
    state: 'serving',
    ready: true,
    reason: null,
    enclave: { phase: 'serve' },
    machine: { driver: 'qemu', cid: 16, restarts: 0 },
  });
  t.ok(running.told.includes('READY'));
  running.stop.abort();
  await done;
  t.match(running.host.status().machine?.lastEnd, { code: null, reason: /stopped in order/ });
  t.equal(running.told.filter((text) => text === 'READY').length, 1);
  t.ok(running.told.indexOf('STOPPING') > running.told.indexOf('READY'));
  const console = readFileSync(join(running.machine.folder, 'console'), 'utf8');
  t.match(console, 'heartbeat answered b7');
  t.match(console, 'stopping in order');
  nothingLeft(t, running.machine);
});

t.test('stays up, closed, with an enclave that failed after it had served, until it is told to stop', async (t) => {
  const running = prepare(t, { does: 'poison' }, { restart: { policy: 'on-failure', minMs: 1, maxMs: 1 } });
  const done = running.run();
  await running.untilStage('closed');
  t.match(running.host.status(), {
    state: 'failed',
    reason: { code: 'ACRA_EXIT_POISON_RECORD' },
    machine: { restarts: 0, lastEnd: null },
  });
  t.ok(running.told.includes('closed, phase serve: ACRA_EXIT_POISON_RECORD'), 'the service manager shows it');
  t.equal(running.told.filter((text) => text === 'READY').length, 1, 'it has started: nothing waits for more');
  const { lines } = await running.ask({ command: 'logs', lines: 4_000, follow: false });
  t.equal(lines.filter((line) => line.includes('"ENCLAVE_CLOSED"')).length, 1);
  t.match((await running.ask({ command: 'stop' })).last, 'stopped in order');
  await done;
  t.equal(running.host.status().publicAddress, null);
  const console = readFileSync(join(running.machine.folder, 'console'), 'utf8');
  t.equal(console.split('Linux version').length, 2, 'it was started once');
  nothingLeft(t, running.machine);
});

t.test('tells readiness again at the next report when the service manager could not be told', async (t) => {
  const running = prepare(t, { does: 'serve', repeats: true });
  running.refusals = 2;
  const done = running.run();
  await running.untilTold('READY');
  t.equal(running.host.status().state, 'serving');
  const { lines } = await running.ask({ command: 'logs', lines: 4_000, follow: false });
  t.equal(lines.filter((line) => line.includes('"SYSTEMD_SEND"')).length, 1, 'said once');
  running.stop.abort();
  await done;
  t.equal(running.told.filter((text) => text === 'READY').length, 1);
});

t.test('forwards on when no disk takes its log and the console, and says so once', async (t) => {
  const full = '/dev/full';
  const machine = fakeMachine(t, { does: 'serve', repeats: true }, { consoleFile: full }, { logFile: full });
  const daemon = spawn(join(PROJECT, 'bin/acra-enclave'), ['run', '--config', machine.configFile], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(daemon, 'exit');
  let complaints = '';
  daemon.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text;
  });
  const asker = new RunningHost(machine);
  await asker.untilReachable();
  const serving = Promise.withResolvers<void>();
  const following = asker.ask({ command: 'logs', lines: 4_000, follow: true }, (reply) => {
    if (reply.type === 'line' && reply.text.includes('"stage":"serving"')) serving.resolve();
  });
  await Promise.race([serving.promise, following]);
  t.match((await asker.ask({ command: 'console', lines: 100, follow: false })).lines[0], 'Linux version');
  t.match((await asker.ask({ command: 'stop' })).last, 'stopped in order');
  await following;
  t.same(await exited, [0, null]);
  t.equal(complaints.match(/cannot write to \/dev\/full.*ENOSPC/g)?.length, 2, 'the log once, the console once');
});

t.test('rejects an enclave that fails its boot, with its own reason (ENCLAVE_FAILED)', async (t) => {
  const running = prepare(t, { does: 'fail' });
  const error = await rejectsCode(() => running.run(), EnclaveError, 'ENCLAVE_FAILED');
  t.match(error.found, 'failed, phase master-key');
  t.match(error.cause, { code: 'KMS_ACCESS_DENIED' }, 'its own code stays a code');
  t.match(running.host.status().machine?.lastEnd, { code: 'ENCLAVE_FAILED', reported: { code: 'KMS_ACCESS_DENIED' } });
  t.notOk(running.told.includes('READY'));
  nothingLeft(t, running.machine);
});

t.test('rejects an enclave that panics, with the kernel’s words (ENCLAVE_DIED)', async (t) => {
  const running = prepare(t, { does: 'panic' });
  const error = await rejectsCode(() => running.run(), EnclaveError, 'ENCLAVE_DIED');
  t.match(error.found, 'Kernel panic - not syncing: no init');
  nothingLeft(t, running.machine);
});

t.test('takes a second kernel banner for the end of the machine (ENCLAVE_DIED)', async (t) => {
  const running = prepare(t, { does: 'reset' });
  const error = await rejectsCode(() => running.run(), EnclaveError, 'ENCLAVE_DIED');
  t.match(error.found, 'the machine was reset');
  nothingLeft(t, running.machine);
});

t.test('rejects an enclave without a heartbeat (ENCLAVE_HEARTBEAT_TIMEOUT)', async (t) => {
  const running = prepare(t, { does: 'hang' }, { heartbeatMs: 700 });
  await rejectsCode(() => running.run(), EnclaveError, 'ENCLAVE_HEARTBEAT_TIMEOUT');
  nothingLeft(t, running.machine);
});

t.test('terminates an enclave that does not heed the request to stop', async (t) => {
  const running = prepare(t, { does: 'serve', deaf: true }, { stopGraceMs: 300 });
  const done = running.run();
  await running.untilStage('serving');
  running.stop.abort();
  await done;
  t.match(running.host.status().machine?.lastEnd?.reason, 'terminated after 300 ms');
  nothingLeft(t, running.machine);
});

t.test('rejects a vhost-device-vsock that ends at once (ENCLAVE_VSOCK_DEVICE)', async (t) => {
  const running = prepare(t, { does: 'serve' }, { vhostDeviceVsock: '/bin/false' });
  await rejectsCode(() => running.run(), EnclaveError, 'ENCLAVE_VSOCK_DEVICE');
  nothingLeft(t, running.machine);
});

t.test('ends a machine whose vhost-device-vsock dies, with what that said last (ENCLAVE_DIED)', async (t) => {
  const running = prepare(t, { does: 'serve' });
  const done = rejectsCode(() => running.run(), EnclaveError, 'ENCLAVE_DIED');
  await running.untilStage('serving');
  const [device] = processesNaming(join(running.machine.folder, 'fake-vhost'));
  process.kill(Number.parseInt(device ?? '', 10), 'SIGUSR2');
  t.match((await done).found, 'vhost-device-vsock ended with exit code 134 (panicked)');
  nothingLeft(t, running.machine);
});

t.test('answers status, logs, console and stop over a socket that only its user may open', async (t) => {
  const running = prepare(t, { does: 'serve' });
  const done = running.run();
  await running.untilStage('serving');
  t.equal(statSync(join(running.machine.config.runtimeFolder, 'command.sock')).mode & 0o777, 0o600);
  const { replies } = await running.ask({ command: 'status' });
  t.match(replies[0], { type: 'status', status: { state: 'serving', measurements: { PCR0: 'ab'.repeat(48) } } });
  const logs = await running.ask({ command: 'logs', lines: 4_000, follow: false });
  t.ok(logs.lines.some((line) => line.includes('"enclave.stage"') && line.includes('serving')));
  t.equal((await running.ask({ command: 'logs', lines: 2, follow: false })).lines.length, 2);
  const console = running.ask({ command: 'console', lines: 100, follow: true });
  const { last, replies: progress } = await running.ask({ command: 'stop' });
  t.match(last, 'stopped in order');
  t.ok(progress.some((reply) => reply.type === 'progress' && reply.text.startsWith('stopping')));
  await done;
  const { lines } = await console;
  t.match(lines[0], 'Linux version');
  t.equal(lines.at(-1), 'stopping in order', 'followed to the end');
  nothingLeft(t, running.machine);
});

t.test('rejects a second daemon in the same folder, and leaves the first alone (HOST_ALREADY_RUNNING)', async (t) => {
  const running = prepare(t, { does: 'serve' });
  const done = running.run();
  await running.untilStage('serving');
  await rejectsCode(() => new RunningHost(running.machine).run(), HostProxyError, 'HOST_ALREADY_RUNNING');
  t.equal(running.host.status().state, 'serving');
  running.stop.abort();
  await done;
});

t.test('rejects a runtime folder that others may enter (HOST_RUNTIME_FOLDER)', async (t) => {
  const running = prepare(t, { does: 'serve' });
  chmodSync(running.machine.config.runtimeFolder, 0o750);
  await rejectsCode(() => running.run(), HostProxyError, 'HOST_RUNTIME_FOLDER');
});

t.test('leaves no machine behind when the daemon is killed with SIGKILL, and starts again after that', async (t) => {
  const { configFile, folder, logFile, config } = fakeMachine(t, { does: 'serve' });
  const daemon = spawn(join(PROJECT, 'bin/acra-enclave'), ['run', '--config', configFile], { stdio: 'ignore' });
  const exited = once(daemon, 'exit');
  await untilChanged(logFile, () => existsSync(logFile) && readFileSync(logFile, 'utf8').includes('"stage":"serving"'));
  const pids = processesNaming(join(folder, 'fake-')).map((line) => Number.parseInt(line, 10));
  t.equal(pids.length, 2);
  daemon.kill('SIGKILL');
  await Promise.all([exited, ...pids.map(processEnd)]);
  const again = new RunningHost({ configFile, folder, logFile, config });
  const done = again.run();
  await again.untilStage('serving');
  again.stop.abort();
  await done;
  nothingLeft(t, again.machine);
});
