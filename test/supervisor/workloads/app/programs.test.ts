/** Programs as children of the supervisor, on this machine: order, tasks, signals, and who is told of an end. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test as TapTest } from 'tap';
import { appEnclaveSchema } from '../../../../config/app/app-enclave.ts';
import { systemClock } from '../../../../runtime/clock.ts';
import { EndedBeforeReady } from '../../../../supervisor/children/ended-before-ready.ts';
import { LogBuffer } from '../../../../supervisor/control/log-buffer.ts';
import { SupervisorError } from '../../../../supervisor/errors.ts';
import type { Application } from '../../../../supervisor/platform.ts';
import { Programs } from '../../../../supervisor/workloads/app/programs.ts';
import { rejectsCode } from '../../../support/coded-error.ts';
import { MemoryLogger } from '../../../support/memory-logger.ts';
import { processEnd } from '../../../support/process-end.ts';
import { seededRandom } from '../../../support/seeded-random.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { untilChanged } from '../../../support/watched-files.ts';

const application: Application = {
  root: undefined,
  room: () => ({
    user: undefined,
    enclose: () => undefined,
    join: () => undefined,
    clear: () => undefined,
    release: () => undefined,
    outOfMemoryKills: () => 0,
  }),
  writeHosts: () => undefined,
  writeResolver: () => undefined,
};

function rig(t: TapTest, programs: object, settings: object = {}) {
  const folder = temporaryFolder(t);
  const file = join(folder, 'told');
  const environment = { TOLD: file };
  const logger = new MemoryLogger();
  const outputs = new MemoryLogger();
  const ends: string[] = [];
  const failures: unknown[] = [];
  const over = Promise.withResolvers<void>();
  const config = appEnclaveSchema.parse({ version: 1, workload: 'app', name: 'app', programs, ...settings });
  const fleet = new Programs({
    config,
    application,
    environment,
    clock: systemClock,
    random: seededRandom('programs'),
    logger,
    outputLog: new LogBuffer({
      clock: systemClock,
      maxRecords: 1_000,
      onRecord: ({ level, event, fields }) => outputs.log(level, event as 'program.output', fields),
    }),
    onFailure: (error) => {
      failures.push(error);
      over.resolve();
    },
    onEnd: (reason) => {
      ends.push(reason);
      over.resolve();
    },
  });
  t.teardown(() => fleet.stop());
  const told = () => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []);
  return { fleet, logger, outputs, ends, failures, over: over.promise, told, file };
}

const start = (fleet: Programs) => fleet.start(AbortSignal.timeout(30_000));
/** Appends words to the file that all of a test share. */
const says = (text: string) => `echo ${text} >> "$TOLD"`;
const task = (name: string, after: readonly string[] = [], more = '') => ({
  kind: 'task',
  command: ['sh', '-c', `${more}${says(name)}`],
  after,
});
/** Waits in its own shell, which hears of signals at once. */
const service = (name: string, after: readonly string[] = [], signal = 'TERM') => ({
  command: [
    'sh',
    '-c',
    `trap '${says(`${name}-${signal}`)}; exit 0' ${signal}; ${says(name)}; while :; do sleep 0.02; done`,
  ],
  after,
  probe: { command: ['sh', '-c', `grep -q '^${name}$' "$TOLD"`] },
});

t.test('starts each program behind those that it comes after, and stops it before them', async (t) => {
  const { fleet, told } = rig(t, {
    last: service('last', ['middle']),
    middle: service('middle', ['first']),
    first: task('first', ['before'], 'sleep 0.1; '),
    before: task('before'),
  });
  await start(fleet);
  t.same(told(), ['before', 'first', 'middle', 'last']);
  t.same(fleet.members.map(({ id }) => id).toSorted(), ['last', 'middle']);
  const counted = fleet.samples.map(({ name, labels, value }) => [name, labels['program'], value]);
  t.strictSame(counted.toSorted(), [
    ['program_lost_lines_total', 'before', 0],
    ['program_lost_lines_total', 'first', 0],
    ['program_lost_lines_total', 'last', 0],
    ['program_lost_lines_total', 'middle', 0],
  ]);
  await fleet.stop();
  t.same(told().slice(4), ['last-TERM', 'middle-TERM']);
});

t.test('asks each program to end by its own signal', async (t) => {
  const { fleet, told } = rig(t, { one: { ...service('one', [], 'USR1'), stopSignal: 'SIGUSR1' } });
  await start(fleet);
  await fleet.stop();
  t.same(told(), ['one', 'one-USR1']);
});

t.test('kills what does not end in its time', async (t) => {
  const stubborn = { command: ['sh', '-c', `trap '' TERM; ${says('up')}; while :; do sleep 0.02; done`] };
  const { fleet, file, told } = rig(t, { one: stubborn }, { restart: { stopGraceMs: 200 } });
  await start(fleet);
  await untilChanged(file, () => told().includes('up'));
  const pid = fleet.members[0]?.child.pid ?? 0;
  await fleet.stop();
  t.notOk(existsSync(`/proc/${pid}/stat`));
});

t.test('starts nothing behind a task that fails, and ends what runs (PROGRAM_TASK_FAILED)', async (t) => {
  const { fleet, told } = rig(t, {
    running: service('running'),
    failing: { kind: 'task', command: ['sh', '-c', 'exit 4'], after: ['running'] },
    behind: task('behind', ['failing']),
  });
  await rejectsCode(() => start(fleet), SupervisorError, 'PROGRAM_TASK_FAILED');
  await fleet.stop();
  t.same(told(), ['running', 'running-TERM']);
});

t.test('ends a task that is not done in its time (PROGRAM_TASK_FAILED)', async (t) => {
  const { fleet } = rig(t, { slow: { kind: 'task', command: ['sleep', '60'], readyMs: 200 } });
  await rejectsCode(() => start(fleet), SupervisorError, 'PROGRAM_TASK_FAILED');
});

t.test('rejects a service whose probe never answers, and says what it found (CHILD_NOT_READY)', async (t) => {
  for (const [probe, found] of [
    [{ command: ['sh', '-c', 'exit 3'] }, /exit code 3/],
    [{ tcp: 'tcp://127.0.0.1:1' }, /no connection/],
    [{ http: 'http://127.0.0.1:1/' }, /no answer/],
  ] as const) {
    const { fleet } = rig(t, { deaf: { command: ['sleep', '60'], probe, readyMs: 900 } });
    const error = await rejectsCode(() => start(fleet), SupervisorError, 'CHILD_NOT_READY');
    t.match(error.found, found);
  }
});

t.test('tells later when a service answers its probe no more (PROGRAM_NOT_READY)', async (t) => {
  const probe = { command: ['sh', '-c', 'test ! -e "$TOLD"'] };
  const { fleet, file } = rig(t, { one: { command: ['sleep', '60'], probe } });
  await start(fleet);
  const [member] = fleet.members;
  const signal = AbortSignal.timeout(10_000);
  await member?.probe?.(signal);
  writeFileSync(file, '');
  await rejectsCode(async () => member?.probe?.(signal), SupervisorError, 'PROGRAM_NOT_READY');
});

t.test('ends a probe that hangs, and what it has started', async (t) => {
  const hangs = 'test ! -e "$TOLD" || { sleep 300 & echo $! > "$TOLD.left"; sleep 300; }';
  const probe = { command: ['sh', '-c', hangs] };
  const { fleet, file } = rig(t, { one: { command: ['sleep', '60'], probe } });
  await start(fleet);
  writeFileSync(file, '');
  const given = new AbortController();
  const probing = fleet.members[0]?.probe?.(given.signal);
  const pidFile = `${file}.left`;
  await untilChanged(pidFile, () => existsSync(pidFile) && readFileSync(pidFile, 'utf8').endsWith('\n'));
  given.abort(new Error('late'));
  await t.rejects(async () => probing, { message: 'late' });
  await processEnd(Number(readFileSync(pidFile, 'utf8')));
  t.equal(fleet.members[0]?.child.state.kind, 'running');
});

t.test('starts an ended service again, and tells how it ended', async (t) => {
  const { fleet, logger, failures, file, told } = rig(t, {
    one: { command: ['sh', '-c', `${says('run')}; sleep 0.3; test $(wc -l < "$TOLD") -lt 2 && exit 5; exec sleep 60`] },
  });
  await start(fleet);
  await untilChanged(file, () => told().length === 2);
  const ended = logger.records.find(({ event }) => event === 'child.exited');
  t.match(ended?.fields, { child: 'one', code: 'PROGRAM_ENDED', exitCode: 5 });
  t.same(failures, []);
});

t.test('has the end of a program that is never started again be that of the enclave', async (t) => {
  for (const [code, isFailure] of [
    [0, false],
    [9, true],
  ] as const) {
    const command = ['sh', '-c', `sleep 0.2; ${says('done')}; exit ${code}`];
    const { fleet, ends, failures, over } = rig(t, { one: { command, restart: 'never' } });
    await start(fleet);
    await over;
    t.equal(ends.length, isFailure ? 0 : 1);
    t.match(failures, isFailure ? [{ code: 'PROGRAM_ENDED', found: /exit code 9/ }] : []);
    await fleet.stop();
  }
});

t.test('says how many lines were left out of a program that has ended, where nobody takes them', async (t) => {
  const { fleet, logger, outputs } = rig(t, { one: { kind: 'task', command: ['seq', '2000'] } });
  await start(fleet);
  await fleet.stop();
  const lost = logger.records.filter(({ event }) => event === 'program.output-lost');
  const lines = lost.reduce((sum, { fields }) => sum + Number(fields?.['lines']), 0);
  t.equal(outputs.records.length + lines, 2_000);
});

t.test('says what a program printed last before it failed', async (t) => {
  const { fleet, outputs } = rig(t, {
    one: { command: ['sh', '-c', 'echo the last words >&2; exit 1'], probe: { command: ['false'] } },
  });
  await rejectsCode(() => start(fleet), EndedBeforeReady, 'PROGRAM_ENDED');
  await fleet.stop();
  t.match(
    outputs.records.map(({ fields }) => fields),
    [{ program: 'one', stream: 'stderr', text: 'the last words' }],
  );
});
