/** Several acra-servers side by side: what becomes of one touches no other. Node scripts stand in their places, which keep sessions. */
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import type { Socket } from 'node:net';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import t, { type Test as TapTest } from 'tap';
import type { AcraLogRecord } from '../../../../acra/server/log-record.ts';
import { enclaveSchema } from '../../../../config/enclave.ts';
import { loadConfig } from '../../../../config/load.ts';
import { systemClock } from '../../../../runtime/clock.ts';
import { SecretBuffer } from '../../../../runtime/secret-buffer.ts';
import type { ChildState } from '../../../../supervisor/children/child.ts';
import type { AcraMember, MemberPlan } from '../../../../supervisor/workloads/acra/fleet.ts';
import { AcraFleet } from '../../../../supervisor/workloads/acra/fleet.ts';
import type { ProcessBounds } from '../../../../system/processes/confinement.ts';
import { PROJECT } from '../../../project/imports.ts';
import { closed } from '../../../support/closed.ts';
import { MemoryLogger } from '../../../support/memory-logger.ts';
import { environmentVariable } from '../../../support/processes.ts';
import { seededRandom } from '../../../support/seeded-random.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

/** Listens where acra-server is told to, and sends back what comes; SIGUSR2 is its poison record. */
const SERVES = `
  const path = process.argv.find((word) => word.startsWith("--incoming")).split("unix://")[1];
  if (path.includes("broken")) process.exit(1);
  process.on("SIGUSR2", () => {
    console.error(JSON.stringify({ level: "error", code: 101, msg: "Detected poison record, exit" }));
    process.exit(1);
  });
  require("node:net").createServer((socket) => socket.on("error", () => {}).pipe(socket)).listen(path);`;

interface Confined {
  readonly name: string;
  readonly bounds: ProcessBounds;
  readonly pids: number[];
  releases: number;
}

function surroundings(t: TapTest) {
  const root = temporaryFolder(t);
  const config = loadConfig(enclaveSchema, join(PROJECT, 'examples/enclave.yaml'));
  mkdirSync(join(root, 'keystore'), { mode: 0o700 });
  const confined: Confined[] = [];
  const records: AcraLogRecord[] = [];
  const fleet = new AcraFleet({
    program: {
      kind: 'path',
      program: process.execPath,
      leadingArguments: ['-e', SERVES, '--'],
      sha256: '',
      description: '',
    },
    config: { ...config, restart: { ...config.restart, minMs: 1, maxMs: 1 } },
    pathOf: (file) => join(root, file),
    masterKey: SecretBuffer.take(Buffer.alloc(32, 1)),
    serverKey: SecretBuffer.take(Buffer.from('a key')),
    confine: (name, bounds) => {
      const folder = join(root, name);
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const kept: Confined = { name, bounds, pids: [], releases: 0 };
      confined.push(kept);
      const release = () => {
        kept.releases += 1;
      };
      return {
        folder,
        user: undefined,
        openDoor: () => folder,
        enclose: (pid) => kept.pids.push(pid),
        clear: () => undefined,
        release,
      };
    },
    clock: systemClock,
    random: seededRandom('fleet'),
    logger: new MemoryLogger(),
    onFailure: (error) => t.fail(String(error)),
    onRecord: (record) => records.push(record),
  });
  t.teardown(() => fleet.stop());
  const plan = (id: string): MemberPlan => ({
    id,
    listen: { kind: 'unix', path: join(root, `${id}.sock`) },
    database: { kind: 'tcp', host: '127.0.0.1', port: 5432 },
    dialled: () => 0,
  });
  const add = (id: string) => fleet.add(plan(id), AbortSignal.timeout(20_000));
  /** Resolves with the next state of that kind. */
  const until = (id: string, kind: ChildState['kind']) =>
    new Promise<ChildState>((resolve) => {
      fleet.subscribe((member, state) => member.id === id && state.kind === kind && resolve(state));
    });
  return { fleet, add, until, confined, records, config, root };
}

async function session({ listen }: AcraMember): Promise<Socket> {
  const socket = createConnection(listen.kind === 'unix' ? { path: listen.path } : listen);
  await once(socket, 'connect');
  return socket;
}

async function answers(socket: Socket, text: string): Promise<boolean> {
  socket.write(text);
  const [data] = await once(socket, 'data');
  return String(data) === text;
}

t.test('keeps the sessions of one when another is killed, and brings that one back', async (t) => {
  const { add, until } = surroundings(t);
  const [first, second] = [await add('first'), await add('second')];
  const [ending, staying] = [await session(first), await session(second)];
  t.teardown(() => staying.destroy());
  const secondPid = second.child.pid;
  const running = until('first', 'running');
  const ended = closed(ending);
  process.kill(first.child.pid ?? 0, 'SIGKILL');
  await Promise.all([ended, running]);
  t.ok(await answers(staying, 'still here'));
  t.same([first.child.restarts, second.child.restarts], [1, 0]);
  t.equal(second.child.pid, secondPid);
});

t.test('gives each its own confinement, bounds, key file and secret with one call', async (t) => {
  const { add, confined, config, root } = surroundings(t);
  const members = [await add('first'), await add('second')];
  const bounds = { maxMemoryBytes: config.acra.maxMemoryMiB * 1024 * 1024, maxTasks: config.acra.maxTasks };
  t.same(
    confined.map(({ name, bounds, pids }) => ({ name, bounds, pids })),
    members.map(({ id, child }) => ({ name: id, bounds, pids: [child.pid] })),
  );
  for (const { id, child } of members) {
    t.equal(environmentVariable(child.pid ?? 0, 'ACRA_MASTER_KEY'), Buffer.alloc(32, 1).toString('base64'));
    t.notOk(existsSync(join(root, id, 'server.key')), 'gone as soon as it listens');
  }
});

t.test('gives up one that met a poison record, and only that one', async (t) => {
  const { fleet, add, until } = surroundings(t);
  const [first, second] = [await add('first'), await add('second')];
  const staying = await session(second);
  t.teardown(() => staying.destroy());
  const failed = until('first', 'failed');
  process.kill(first.child.pid ?? 0, 'SIGUSR2');
  t.match(await failed, { code: 'ACRA_EXIT_POISON_RECORD' });
  t.ok(await answers(staying, 'still here'));
  t.same(
    fleet.members.map(({ child }) => child.state.kind),
    ['failed', 'running'],
  );
});

t.test('removes one with its confinement and leaves the others as they are', async (t) => {
  const { fleet, add, confined } = surroundings(t);
  const [first, second] = [await add('first'), await add('second')];
  const staying = await session(second);
  t.teardown(() => staying.destroy());
  const pid = first.child.pid ?? 0;
  await fleet.remove('first');
  t.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  t.same(
    confined.map(({ name, releases }) => [name, releases]),
    [
      ['first', 1],
      ['second', 0],
    ],
  );
  t.ok(await answers(staying, 'still here'));
  t.same(
    fleet.members.map(({ id }) => id),
    ['second'],
  );
});

t.test('leaves nothing of one that does not start (ACRA_EXIT_FAILURE)', async (t) => {
  const { fleet, add, confined } = surroundings(t);
  await add('first');
  await t.rejects(add('broken'), { code: 'ACRA_EXIT_FAILURE' });
  t.same(
    fleet.members.map(({ id }) => id),
    ['first'],
  );
  t.match(confined.at(-1), { name: 'broken', releases: 1 });
});

t.test('ends all of them, and releases what each had', async (t) => {
  const { fleet, add, confined } = surroundings(t);
  const pids = [await add('first'), await add('second')].map(({ child }) => child.pid ?? 0);
  await fleet.stop();
  for (const pid of pids) t.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  t.ok(confined.every(({ releases }) => releases === 1));
  t.same(fleet.members, []);
});

t.test('tells the records of every member', async (t) => {
  const { add, until, records } = surroundings(t);
  for (const id of ['first', 'second']) {
    const { child } = await add(id);
    const failed = until(id, 'failed');
    process.kill(child.pid ?? 0, 'SIGUSR2');
    await failed;
  }
  t.same(
    records.map(({ code }) => code),
    [101, 101],
  );
});
