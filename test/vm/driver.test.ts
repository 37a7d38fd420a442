/** The driver on a real machine: what it starts, what it notices, and that it leaves nothing behind. */
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test as TapTest } from 'tap';
import { qemuRun } from '../../config/enclave-run.ts';
import { QemuDriver } from '../../host-proxy/machine/qemu/driver.ts';
import { systemClock } from '../../runtime/clock.ts';
import { LineBuffer } from '../../system/lines/line-buffer.ts';
import { toCid } from '../../wire/brands.ts';
import { EnclaveStack } from '../enclave/support/enclave-stack.ts';
import { qemuTools } from '../enclave/support/qemu-tools.ts';
import { processesNaming } from '../support/processes.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const stack = await EnclaveStack.prepare(t);
const { path: image } = await stack.build();
const { qemu, vhostDeviceVsock } = await qemuTools();
const { program, firmwareFolder: firmware } = qemu;

function machine(t: TapTest) {
  const runtimeFolder = join(temporaryFolder(t), 'run');
  mkdirSync(runtimeFolder);
  const console = new LineBuffer({ maxLines: 1_000, maxBytes: 1_000_000 });
  const run = qemuRun.parse({ driver: 'qemu', image, program, firmware, vhostDeviceVsock });
  const vsockPath = join(runtimeFolder, 'vm');
  const driver = new QemuDriver({ run, cid: toCid(16), vsockPath, runtimeFolder, clock: systemClock, console });
  const left = () => [...readdirSync(runtimeFolder), ...processesNaming(runtimeFolder)];
  return { driver, console, left };
}

t.test('boots a kernel, ends it when told, and leaves neither process nor socket', async (t) => {
  const { driver, console, left } = machine(t);
  const banner = new Promise<void>((resolve) => console.follow((line) => line.includes('Linux version') && resolve()));
  const enclave = await driver.start(new AbortController().signal);
  await banner;
  t.ok(left().length > 2);
  await enclave.terminate();
  t.match(await enclave.ended, { how: 'terminated' });
  t.same(left(), []);
});

t.test('notices at once that QEMU was killed', async (t) => {
  const { driver, left } = machine(t);
  const enclave = await driver.start(new AbortController().signal);
  const pid = Number(/process (\d+)/.exec(enclave.id)?.[1]);
  const killedMs = performance.now();
  process.kill(pid, 'SIGKILL');
  t.match(await enclave.ended, { how: 'exited', detail: /SIGKILL/ });
  t.ok(performance.now() - killedMs < 2_000);
  t.same(left(), []);
});

t.test('leaves nothing when its start is aborted', async (t) => {
  const { driver, left } = machine(t);
  const stop = new AbortController();
  const starting = driver.start(stop.signal);
  stop.abort(new Error('stop'));
  await t.rejects(starting, { message: 'stop' });
  t.same(left(), []);
});
