import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t, { type Test as TapTest } from 'tap';
import { BootTable } from '../../supervisor/boot/phase.ts';
import type { BootStart } from '../../supervisor/boot/start.ts';
import { Supervisor } from '../../supervisor/daemon.ts';
import { SupervisorError } from '../../supervisor/errors.ts';
import type { Platform } from '../../supervisor/platform.ts';
import type { Serving } from '../../supervisor/serving.ts';
import { CID_PARENT } from '../../wire/brands.ts';
import { VSOCK_PORTS } from '../../wire/routes.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { MemoryLogger } from '../support/memory-logger.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { openConfinement } from './support/open-confinement.ts';
import { Parent } from './support/parent.ts';

/** It would give the parent two seconds. */
const FLUSH_MS = 2000;

/** A supervisor that comes as far as the security module, which never answers. */
function surroundings(
  t: TapTest,
  openNsm: () => Promise<object> = () => new Promise(() => undefined),
  table?: BootTable<Serving>,
) {
  const folder = temporaryFolder(t);
  const vsockPath = join(folder, 'vm.vsock');
  const platform: Partial<Platform> = {
    simulated: true,
    runtimeFolder: folder,
    prepareMachine: async () => ({
      confine: () => openConfinement(folder),
      openApplication: () => {
        throw new Error('there is none');
      },
      stop: async () => undefined,
    }),
    openNsm: openNsm as Platform['openNsm'],
    parentPort: (port) => ({ kind: 'vsock-uds-guest', path: vsockPath, port, cid: CID_PARENT }),
  };
  const clock = new FakeClock();
  const console = new MemoryLogger();
  const supervisor = new Supervisor({
    platform: platform as Platform,
    folder,
    acraProgram: { kind: 'path', program: '', leadingArguments: [], sha256: '', description: '' },
    release: '0',
    clock,
    random: seededRandom('last words'),
    console,
    ...(table === undefined ? {} : { table }),
  });
  return { supervisor, clock, console, controlPath: `${vsockPath}_${VSOCK_PORTS.control}` };
}

const panics = ({ records }: MemoryLogger) => records.filter(({ event }) => event === 'supervisor.panic');

t.test('says why on the console, and waits no longer than two seconds for a parent that is not there', async (t) => {
  const { supervisor, clock, console } = surroundings(t);
  const cause = new Error('the reason behind');
  const saying = supervisor.lastWords(new SupervisorError('BOOT_PHASE_FAILED', 'something broke', { cause }));
  const [record] = panics(console);
  t.match(
    record,
    { level: 'fatal', fields: { reason: /something broke.*the reason behind/ } },
    'said before any waiting',
  );
  t.match(record?.fields['stack'], 'last-words.test.ts');
  await clock.untilSleeping();
  t.same(clock.sleptMs, [FLUSH_MS]);
  clock.advance(FLUSH_MS);
  await saying;
  t.equal(clock.sleeping, 0);
});

t.test('keeps the stack to what a record may hold', async (t) => {
  const { supervisor, clock, console } = surroundings(t);
  const error = new Error('deep');
  error.stack = 'x'.repeat(100_000);
  const saying = supervisor.lastWords(error);
  t.equal(String(panics(console)[0]?.fields['stack']).length, 2000);
  clock.advance(FLUSH_MS);
  await saying;
});

t.test('says why whatever was thrown', async (t) => {
  for (const thrown of ['a text', undefined, null, 7, { code: 'X' }]) {
    const { supervisor, clock, console } = surroundings(t);
    const saying = supervisor.lastWords(thrown);
    t.equal(panics(console).length, 1);
    clock.advance(FLUSH_MS);
    await saying;
  }
});

t.test('tells the parent why at once, and that the enclave has failed (SUPERVISOR_PANIC)', async (t) => {
  const { supervisor, controlPath } = surroundings(t);
  const parent = new Parent(true);
  await parent.listen(controlPath);
  t.teardown(() => parent.close());
  const running = supervisor.run();
  await parent.until((heard) => heard.find((message) => message.type === 'status' && message.status.phase === 'nsm'));
  await supervisor.lastWords(new Error('something broke'));
  const records = parent.heard.flatMap((message) => (message.type === 'logs' ? message.records : []));
  t.match(records.at(-1), {
    level: 'fatal',
    event: 'supervisor.panic',
    fields: { reason: 'something broke', stack: /last-words\.test\.ts/ },
  });
  const statuses = parent.heard.flatMap((message) => (message.type === 'status' ? [message.status] : []));
  t.match(statuses.at(-1), { state: 'failed', errorCode: 'SUPERVISOR_PANIC', detail: 'something broke' });
  supervisor.requestStop('the test is over');
  t.match(await running, { kind: 'stopped' });
});

t.test('ends in order where the first phase fails and nothing else keeps the process alive', async (t) => {
  const program = fileURLToPath(new URL('./support/failing-boot.ts', import.meta.url));
  for (const way of ['run', 'panic']) {
    const { stdout } = await promisify(execFile)(process.execPath, [program, way]);
    t.equal(stdout, 'failed\n', way);
  }
});

t.test('ends though the security module neither answers nor lets itself be closed (BOOT_DEADLINE)', async (t) => {
  const never = () => new Promise<never>(() => undefined);
  let isAsked = false;
  const describe = () => {
    isAsked = true;
    return never();
  };
  const { supervisor, clock, console } = surroundings(t, async () => ({ describe, close: never }));
  let isOver = false;
  const running = supervisor.run().finally(() => {
    isOver = true;
  });
  while (!isOver) {
    if (isAsked) clock.advance(1_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.match(await running, { kind: 'failed', error: { code: 'BOOT_DEADLINE', message: /phase nsm/ } });
  t.ok(console.records.some(({ event }) => event === 'supervisor.cleanup-late'));
});

t.test('gives what is undone as long as its phase says that it may take', async (t) => {
  const table = BootTable.empty<BootStart>().phase({
    name: 'slow-to-undo',
    deadlineMs: () => 1_000,
    run: async (_have: BootStart, { defer }): Promise<Serving> => {
      defer(() => new Promise<never>(() => undefined), 60_000);
      throw new Error('this phase fails');
    },
  });
  const { supervisor, clock, console } = surroundings(t, undefined, table);
  let isOver = false;
  const running = supervisor.run().finally(() => {
    isOver = true;
  });
  while (!isOver) {
    clock.advance(1_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await running;
  const late = console.records.find(({ event }) => event === 'supervisor.cleanup-late');
  t.match(late?.fields, { maxMs: 75_000 });
});
