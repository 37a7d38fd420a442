/**
 * There is no Nitro hardware here: these tests run the driver against a stand-in for nitro-cli (support/fake-nitro-cli.cjs),
 * written after the source of aws-nitro-enclaves-cli 1.5. What it cannot show is the hardware's own behaviour.
 */
import { truncateSync } from 'node:fs';
import t from 'tap';
import { EnclaveError } from '../../../../host-proxy/machine/errors.ts';
import { SystemError } from '../../../../system/errors.ts';
import { rejectsCode } from '../../../support/coded-error.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { environmentVariable } from '../../../support/processes.ts';
import { FakeNitro } from '../support/fake-nitro.ts';

const never = () => new AbortController().signal;

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise(setImmediate);
}

t.test('starts an enclave with the configured CPUs, memory, CID and name, and terminates it', async (t) => {
  const nitro = new FakeNitro(t);
  const enclave = await nitro.driver({ cpuCount: 4, memoryMiB: 128, name: 'records' }).start(never());
  t.match(enclave.id, /^i-0123456789abcdef0-enc[0-9a-f]+$/);
  await enclave.heartbeat;
  t.equal(nitro.living().length, 1);
  await enclave.terminate();
  t.match(await enclave.ended, { how: 'terminated' });
  t.same(nitro.living(), []);
  const expected = ['run-enclave', '--eif-path', nitro.image, '--cpu-count', '4', '--memory', '128'];
  t.same(nitro.calls()[0], [...expected, '--enclave-cid', '16', '--enclave-name', 'records']);
  t.same(nitro.calls()[1], ['terminate-enclave', '--enclave-id', enclave.id]);
});

t.test('terminates only once', async (t) => {
  const nitro = new FakeNitro(t);
  const enclave = await nitro.driver().start(never());
  await enclave.terminate();
  await enclave.terminate();
  t.equal(nitro.calls().length, 2);
});

t.test('notices within 2 s that the enclave is gone', async (t) => {
  const nitro = new FakeNitro(t);
  const enclave = await nitro.driver().start(never());
  const diedMs = performance.now();
  for (const pid of nitro.owners()) nitro.kill(pid);
  t.match(await enclave.ended, { how: 'exited' });
  t.ok(performance.now() - diedMs < 2_000);
});

t.test('asks nitro-cli nothing while the enclave lives', async (t) => {
  const nitro = new FakeNitro(t);
  const clock = new FakeClock();
  const enclave = await nitro.driver({}, clock).start(never());
  for (let looks = 1; looks <= 5; looks += 1) {
    await until(() => clock.sleptMs.filter((ms) => ms === 500).length === looks);
    clock.advance(500);
  }
  t.equal(nitro.describes(), 1, 'before the start');
  await enclave.terminate();
});

t.test('keeps nitro-cli from filling its log, and the process that owns the enclave too', async (t) => {
  const nitro = new FakeNitro(t);
  const enclave = await nitro.driver().start(never());
  for (const pid of nitro.owners()) t.equal(environmentVariable(pid, 'RUST_LOG'), 'warn');
  await enclave.terminate();
  t.same(nitro.log(), []);
});

t.test('leaves a describe-enclaves that is late to its end, and starts nevertheless', async (t) => {
  const nitro = new FakeNitro(t);
  const clock = new FakeClock();
  const driver = nitro.driver({}, clock);
  nitro.behave({ describe: { slow: true } });
  const starting = driver.start(never());
  await until(() => nitro.describes() === 1);
  clock.advance(5_000);
  const enclave = await starting;
  t.same(nitro.logger.events(), ['enclave.describe-failed']);
  await enclave.terminate();

  const again = driver.start(never());
  await clock.untilSleeping();
  clock.advance(5_000);
  await (await again).terminate();
  t.equal(nitro.describes(), 1, 'no second one beside the first');

  nitro.answer();
  await until(() => nitro.finished().length > 0);
  t.same(nitro.finished(), ['describe-enclaves'], 'it was not killed');
});

t.test('waits for describe-enclaves when a start is aborted meanwhile', async (t) => {
  const nitro = new FakeNitro(t);
  nitro.behave({ describe: { slow: true } });
  const stop = new AbortController();
  const starting = nitro.driver().start(stop.signal);
  await until(() => nitro.describes() === 1);
  stop.abort(new Error('stop'));
  nitro.answer();
  await t.rejects(starting, { message: 'stop' });
  t.same(nitro.finished(), ['describe-enclaves']);
  t.same(nitro.calls(), []);
});

t.test('reads the console in debug mode, and has none without', async (t) => {
  const nitro = new FakeNitro(t);
  t.notOk(nitro.driver().hasConsole);
  const driver = nitro.driver({ debug: true });
  t.ok(driver.hasConsole);
  const banner = new Promise<void>((resolve) => {
    nitro.console.follow((line) => line.includes('Linux version') && resolve());
  });
  const enclave = await driver.start(never());
  await banner;
  t.ok(nitro.calls()[0]?.includes('--debug-mode'));
  await enclave.terminate();
});

t.test('rejects too little memory for the image before it runs anything (ENCLAVE_MEMORY_TOO_SMALL)', async (t) => {
  const nitro = new FakeNitro(t);
  truncateSync(nitro.image, 16 * 2 ** 20);
  await (await nitro.driver({ memoryMiB: 64 }).start(never())).terminate();
  truncateSync(nitro.image, 16 * 2 ** 20 + 1);
  const before = nitro.calls().length;
  const error = await rejectsCode(
    () => nitro.driver({ memoryMiB: 64 }).start(never()),
    EnclaveError,
    'ENCLAVE_MEMORY_TOO_SMALL',
  );
  t.match(error.allowed, 'at least 68');
  t.equal(nitro.calls().length, before);
});

t.test('rejects an image that is not there (ENCLAVE_IMAGE_UNREADABLE)', async (t) => {
  const driver = new FakeNitro(t).driver({ image: '/none/image.eif' });
  await rejectsCode(() => driver.start(never()), EnclaveError, 'ENCLAVE_IMAGE_UNREADABLE');
});

t.test('rejects a nitro-cli that is not there (ENCLAVE_PROGRAM_MISSING)', async (t) => {
  const driver = new FakeNitro(t).driver({ program: '/none/nitro-cli' });
  await rejectsCode(() => driver.start(never()), SystemError, 'ENCLAVE_PROGRAM_MISSING');
});

for (const [what, stdout] of [
  ['no JSON', 'Started enclave\n'],
  ['nothing', ''],
  ['an enclave without an id', '{"ProcessID":1,"EnclaveCID":16,"NumberOfCPUs":2,"CPUIDs":[],"MemoryMiB":64}'],
  [
    'a process that cannot be',
    '{"EnclaveID":"i-0-enc1","ProcessID":0,"EnclaveCID":16,"NumberOfCPUs":2,"CPUIDs":[],"MemoryMiB":64}',
  ],
  ['another CID', '{"EnclaveID":"i-0-enc1","ProcessID":1,"EnclaveCID":17,"NumberOfCPUs":2,"CPUIDs":[],"MemoryMiB":64}'],
] as const) {
  t.test(`rejects ${what} in answer to run-enclave (ENCLAVE_NITRO_CLI_REPLY)`, async (t) => {
    const nitro = new FakeNitro(t);
    nitro.behave({ run: { stdout } });
    await rejectsCode(() => nitro.driver().start(never()), EnclaveError, 'ENCLAVE_NITRO_CLI_REPLY');
  });
}

t.test('leaves nothing behind when a start is aborted while the enclave boots', async (t) => {
  const nitro = new FakeNitro(t);
  nitro.behave({ hang: true });
  const stop = new AbortController();
  const starting = nitro.driver().start(stop.signal);
  await until(() => nitro.living().length > 0);
  t.equal(nitro.living().length, 1);
  stop.abort(new Error('stop'));
  await t.rejects(starting, { message: 'stop' });
  t.same(nitro.living(), [], 'the process that owns the enclave is gone');
  t.same(nitro.finished(), ['run-enclave'], 'nitro-cli, which asks other enclaves too, was not killed');
});

t.test('ends what an earlier daemon left on its CID under its name', async (t) => {
  const nitro = new FakeNitro(t);
  const left = await nitro.driver().start(never());
  const enclave = await nitro.driver().start(never());
  t.match(await left.ended, { how: 'exited' });
  t.equal(nitro.living().length, 1);
  t.ok(nitro.logger.events().includes('enclave.leftover'));
  await enclave.terminate();
});

t.test('ends what an earlier daemon left although another enclave does not answer', async (t) => {
  const nitro = new FakeNitro(t);
  const left = await nitro.driver().start(never());
  nitro.behave({ unanswered: 1 });
  const enclave = await nitro.driver().start(never());
  t.match(await left.ended, { how: 'exited' });
  t.equal(nitro.living().length, 1);
  t.ok(nitro.logger.events().includes('enclave.describe-failed'));
  await enclave.terminate();
});

t.test('rejects a CID that another enclave has, and leaves that one alone (ENCLAVE_CID_TAKEN)', async (t) => {
  const nitro = new FakeNitro(t);
  const other = await nitro.driver({ name: 'other' }).start(never());
  await rejectsCode(() => nitro.driver().start(never()), EnclaveError, 'ENCLAVE_CID_TAKEN');
  t.equal(nitro.living().length, 1);
  await other.terminate();
});

t.test('ends the process that owns the enclave when nitro-cli cannot terminate it', async (t) => {
  const nitro = new FakeNitro(t);
  const enclave = await nitro.driver().start(never());
  nitro.behave({ terminate: { fail: [11, 'Failed to connect to specific enclave process'] } });
  await enclave.terminate();
  t.same(nitro.living(), []);
  t.ok(nitro.logger.events().includes('enclave.terminate-failed'));
});

t.test('takes the end of the owning process for the enclave’s end when nitro-cli cannot tell', async (t) => {
  const nitro = new FakeNitro(t);
  const enclave = await nitro.driver({}, new FakeClock()).start(never());
  for (const pid of nitro.owners()) nitro.kill(pid);
  await until(() => nitro.living().length === 0);
  nitro.behave({ unanswered: 1 });
  await enclave.terminate();
  t.match(await enclave.ended, { how: 'terminated' });
});

t.test('stops watching an enclave that cannot be ended, and may be told again (ENCLAVE_NOT_TERMINATED)', async (t) => {
  const nitro = new FakeNitro(t);
  const clock = new FakeClock();
  nitro.behave({ foreignOwner: true, terminate: { fail: [11, 'Failed to connect to specific enclave process'] } });
  const enclave = await nitro.driver({}, clock).start(never());
  await rejectsCode(() => enclave.terminate(), EnclaveError, 'ENCLAVE_NOT_TERMINATED');
  t.equal(clock.sleeping, 0, 'no timer keeps the daemon running');
  nitro.behave({});
  await enclave.terminate();
  t.match(await enclave.ended, { how: 'terminated' });
});

t.test('explains a start that failed, with what nitro-cli said (ENCLAVE_MEMORY_UNAVAILABLE)', async (t) => {
  const nitro = new FakeNitro(t);
  nitro.behave({ run: { fail: [27, 'Failed to allocate entire memory (64 MB remained)', 'memory', '64'] } });
  const error = await rejectsCode(() => nitro.driver().start(never()), EnclaveError, 'ENCLAVE_MEMORY_UNAVAILABLE');
  t.match(error.found, '[ E27 ] Insufficient memory available. User provided `memory` is 64 MB');
  t.match(error.found, 'Failed to allocate entire memory');
  t.match(error.found, 'exit code 27');
});
