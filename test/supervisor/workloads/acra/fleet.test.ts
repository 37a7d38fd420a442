/** The fleet: a further acra-server is one call, and what becomes of one does not touch another. */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test as TapTest } from 'tap';
import { enclaveSchema } from '../../../../config/enclave.ts';
import { loadConfig } from '../../../../config/load.ts';
import { systemClock } from '../../../../runtime/clock.ts';
import { SecretBuffer } from '../../../../runtime/secret-buffer.ts';
import { SupervisorError } from '../../../../supervisor/errors.ts';
import type { MemberPlan } from '../../../../supervisor/workloads/acra/fleet.ts';
import { AcraFleet } from '../../../../supervisor/workloads/acra/fleet.ts';
import { PROJECT } from '../../../project/imports.ts';
import { rejectsCode } from '../../../support/coded-error.ts';
import { MemoryLogger } from '../../../support/memory-logger.ts';
import { seededRandom } from '../../../support/seeded-random.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { openConfinement } from '../../support/open-confinement.ts';

/** Listens where acra-server is told to, as its command line says. */
const LISTENS = `
  const at = process.argv.find((word) => word.startsWith("--incoming_connection_string="));
  require("node:net").createServer().listen(at.replace(/^.*unix:\\/\\//, ""));`;

function fleetIn(t: TapTest, script = LISTENS) {
  const folder = temporaryFolder(t);
  const released: string[] = [];
  const states: string[] = [];
  const waiting: (() => void)[] = [];
  const fleet = new AcraFleet({
    program: {
      kind: 'path',
      program: process.execPath,
      leadingArguments: ['-e', script, '--'],
      sha256: '',
      description: '',
    },
    config: loadConfig(enclaveSchema, join(PROJECT, 'examples/enclave.yaml')),
    pathOf: (file) => join(folder, file),
    masterKey: SecretBuffer.take(Buffer.alloc(32, 1)),
    serverKey: SecretBuffer.take(Buffer.from('pem')),
    confine: (name) => {
      const own = join(folder, name);
      mkdirSync(own);
      return {
        ...openConfinement(own),
        release: () => {
          released.push(name);
          rmSync(own, { recursive: true });
        },
      };
    },
    clock: systemClock,
    random: seededRandom('fleet'),
    logger: new MemoryLogger(),
    onFailure: (error) => t.fail(String(error)),
  });
  t.teardown(() => fleet.stop());
  fleet.subscribe(({ id }, { kind }) => {
    states.push(`${id} ${kind}`);
    for (const wake of waiting.splice(0)) wake();
  });
  const plan = (id: string): MemberPlan => ({
    id,
    listen: { kind: 'unix', path: join(folder, `${id}.sock`) },
    database: { kind: 'tcp', host: '127.0.0.1', port: 5432 },
    dialled: () => 0,
  });
  const untilState = async (state: string) => {
    while (!states.includes(state)) await new Promise<void>((resolve) => waiting.push(resolve));
  };
  return { fleet, folder, released, states, plan, untilState };
}

const signal = () => AbortSignal.timeout(30_000);

t.test('adds a second acra-server by one call, and keeps it when the first ends', async (t) => {
  const { fleet, plan, states, untilState } = fleetIn(t);
  const first = await fleet.add(plan('first'), signal());
  const second = await fleet.add(plan('second'), signal());
  const { pid } = second.child;
  process.kill(first.child.pid ?? 0, 'SIGKILL');
  await untilState('first down');
  t.equal(second.child.pid, pid);
  t.equal(second.child.state.kind, 'running');
  t.notOk(states.includes('second down'));
  t.not(first.output, second.output, 'each is listened to for itself');
});

t.test('takes one away and leaves nothing of it, and nothing of the other is touched', async (t) => {
  const { fleet, plan, folder, released } = fleetIn(t);
  await fleet.add(plan('first'), signal());
  const second = await fleet.add(plan('second'), signal());
  await fleet.remove('first');
  t.same(released, ['first']);
  t.notOk(existsSync(join(folder, 'first')));
  t.ok(existsSync(join(folder, 'second')));
  t.same(
    fleet.members.map(({ id }) => id),
    ['second'],
  );
  t.equal(second.child.state.kind, 'running');
});

t.test('leaves nothing of one that never listens, and keeps the others (CHILD_LAUNCH_FAILED)', async (t) => {
  const { fleet, plan, folder, released } = fleetIn(
    t,
    `if (process.argv.some((word) => word.includes("bad"))) process.exit(7); ${LISTENS}`,
  );
  const good = await fleet.add(plan('good'), signal());
  await rejectsCode(() => fleet.add(plan('bad'), signal()), SupervisorError, 'CHILD_LAUNCH_FAILED');
  t.same(released, ['bad']);
  t.notOk(existsSync(join(folder, 'bad')));
  t.equal(good.child.state.kind, 'running');
});
