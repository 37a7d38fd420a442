/** Health of the database and of each acra-server; three deaf probes in a row replace just the one that is deaf. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import t, { type Test as TapTest } from 'tap';
import { createAuthority } from '../../emulator/pki/authority.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { ChildState, SupervisedChild } from '../../supervisor/children/child.ts';
import { SupervisorError } from '../../supervisor/errors.ts';
import type { Health } from '../../supervisor/health.ts';
import { HealthMonitor } from '../../supervisor/health.ts';
import { probeDatabase } from '../../supervisor/probes/database.ts';
import type { AcraMember } from '../../supervisor/workloads/acra/fleet.ts';
import { requireAcra } from '../../supervisor/workloads/acra/probe.ts';
import { SessionTls } from '../../supervisor/workloads/acra/session-tls.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { MemoryLogger } from '../support/memory-logger.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { databaseWithTls } from './support/tls-database.ts';

const INTERVAL_MS = 10_000;
const TIMEOUT_MS = 5_000;
const authority = await createAuthority({ commonName: 'database CA', clock: systemClock });
const identity = await authority.issue({ commonName: 'db', subjectAltNames: ['db.internal'], kind: 'server' });
const RUNNING: ChildState = { kind: 'running', pid: 1, restarts: 0 };

/** An acra-server that the kernel takes connections for. `dials`: that it accepts them, and goes on to the database. */
async function member(t: TapTest, id: string, dials: boolean, state: ChildState = RUNNING) {
  const path = join(temporaryFolder(t), 'acra.sock');
  let dialled = 0;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    if (dials) dialled += 1;
  }).listen(path);
  await once(server, 'listening');
  t.teardown(() => server.close());
  let kills = 0;
  const child = {
    state,
    killUnresponsive: () => {
      kills += 1;
    },
  } as Partial<SupervisedChild> as SupervisedChild;
  const listen = { kind: 'unix', path } as const;
  const plan = { id, listen, dialled: () => dialled, child } as Partial<AcraMember> as AcraMember;
  return { member: plan, kills: () => kills };
}

interface Watched {
  readonly members?: readonly AcraMember[];
  readonly sessionTls?: SessionTls;
  /** Default: the database of the test's own CA. */
  readonly caPem?: string;
  readonly enclaveClock?: () => void;
}

async function watch(t: TapTest, watched: Watched) {
  const {
    members = [],
    enclaveClock,
    caPem = authority.certificatePem,
    sessionTls = new SessionTls(() => 0),
  } = watched;
  const secureContext = createSecureContext({ cert: identity.certificatePem, key: identity.privateKeyPem });
  const { address: target } = await databaseWithTls(t, secureContext);
  const clock = new FakeClock();
  const logger = new MemoryLogger();
  const heard: Health[] = [];
  const waiting: (() => void)[] = [];
  const monitor = new HealthMonitor({
    targets: {
      members: () =>
        members.map((each) => ({
          ...each,
          probe: (signal) =>
            requireAcra({ target: each.listen, dialled: each.dialled, timeoutMs: TIMEOUT_MS, clock }, signal),
        })),
      sessionTls,
      ...(enclaveClock && { clock: enclaveClock }),
      database: (signal) => probeDatabase({ target, serverName: 'db.internal', caPem, timeoutMs: TIMEOUT_MS }, signal),
    },
    intervalMs: INTERVAL_MS,
    clock,
    logger,
    onHealth: (health) => {
      heard.push(health);
      for (const wake of waiting.splice(0)) wake();
    },
    onFailure: (error) => t.fail(String(error)),
  });
  t.teardown(() => monitor.stop());
  await monitor.start(new AbortController().signal);
  /** Lets the deadlines of deaf probes pass meanwhile. */
  const untilHeard = async (count: number) => {
    while (heard.length < count) {
      const next = new Promise<void>((resolve) => waiting.push(resolve));
      const timer = clock.untilSleeping().then(() => clock.advance(TIMEOUT_MS));
      await Promise.race([next, timer]);
    }
  };
  return { clock, monitor, heard, logger, untilHeard };
}

t.test('kills an acra-server that was deaf to three probes in a row, and only that one', async (t) => {
  const deaf = await member(t, 'deaf', false);
  const hearing = await member(t, 'hearing', true);
  const { heard, untilHeard, logger, monitor } = await watch(t, { members: [hearing.member, deaf.member] });
  await untilHeard(2);
  t.equal(deaf.kills(), 0, 'two are not enough');
  await untilHeard(3);
  t.equal(deaf.kills(), 1);
  t.equal(hearing.kills(), 0);
  t.match(heard[2], { healthy: false, code: 'CHILD_DEAF' });
  t.match(
    logger.records.find(({ event }) => event === 'child.deaf'),
    { fields: { child: 'deaf', probes: 3 } },
  );
  t.match(monitor.members.get('hearing'), { healthy: true });
  await untilHeard(5);
  t.equal(deaf.kills(), 1, 'the next one gets three probes of its own');
});

t.test('forgets deaf probes when one was heard between them', async (t) => {
  let isDeaf = true;
  const changing = await member(t, 'acra-server', false);
  let dialled = 0;
  const plan = { ...changing.member, dialled: () => (isDeaf ? dialled : ++dialled) };
  const { untilHeard } = await watch(t, { members: [plan] });
  await untilHeard(2);
  isDeaf = false;
  await untilHeard(3);
  isDeaf = true;
  await untilHeard(5);
  t.equal(changing.kills(), 0);
});

t.test('tells of an acra-server that is down in the words of its supervision', async (t) => {
  const state = { kind: 'down', code: 'CHILD_BREAKER_OPEN', reason: 'it ends again and again' } as const;
  const { member: down } = await member(t, 'acra-server', true, state);
  const { heard, untilHeard } = await watch(t, { members: [down] });
  await untilHeard(1);
  t.match(heard[0], { healthy: false, code: 'CHILD_BREAKER_OPEN', detail: 'it ends again and again' });
});

t.test('tells each acra-server’s own health, also while the database cannot be used', async (t) => {
  const { certificatePem } = await createAuthority({ commonName: 'other CA', clock: systemClock });
  const state = { kind: 'down', code: 'ACRA_EXIT_KILLED', reason: 'it was killed' } as const;
  const { member: down } = await member(t, 'down', true, state);
  const { heard, monitor, untilHeard } = await watch(t, { members: [down], caPem: certificatePem });
  await untilHeard(1);
  t.match(heard[0], { healthy: false, code: 'BOOT_DATABASE_UNTRUSTED' });
  t.match(monitor.members.get('down'), { healthy: false, code: 'ACRA_EXIT_KILLED' });
});

t.test('tells of a clock that cannot be relied on, and of its return', async (t) => {
  let fault: SupervisorError | undefined = new SupervisorError('CLOCK_JUMPED', 'a jump');
  const { heard, untilHeard } = await watch(t, {
    enclaveClock: () => {
      if (fault !== undefined) throw fault;
    },
  });
  await untilHeard(1);
  t.match(heard.at(-1), { healthy: false, code: 'CLOCK_JUMPED' });
  fault = undefined;
  await untilHeard(heard.length + 1);
  t.match(heard.at(-1), { healthy: true });
});

t.test('says what is wrong with the database’s certificate', async (t) => {
  const { certificatePem } = await createAuthority({ commonName: 'other CA', clock: systemClock });
  const { heard, untilHeard } = await watch(t, { caPem: certificatePem });
  await untilHeard(1);
  t.match(heard[0], { healthy: false, code: 'BOOT_DATABASE_UNTRUSTED', detail: /found: / });
});

t.test('probes again at once when it was poked while a probe was under way, or between probes', async (t) => {
  const { clock, monitor, heard, untilHeard } = await watch(t, {});
  monitor.poke();
  await untilHeard(2);
  await clock.untilSleeping();
  t.equal(heard.length, 2, 'one poke, one probe more, before it waits for the interval');
  monitor.poke();
  await untilHeard(3);
  t.pass();
});

const failedSession = {
  code: 584,
  message: "Can't initialize tls connection with db",
  error: 'tls: failed to verify certificate: x509: certificate is valid for other.internal, not db.internal',
};

t.test('is red while sessions fail at a database that the probe trusts, and green when they get through', async (t) => {
  let sessions = 0;
  const sessionTls = new SessionTls(() => sessions);
  const { heard, monitor, untilHeard } = await watch(t, { sessionTls });
  const round = async () => {
    monitor.poke();
    await untilHeard(heard.length + 1);
    return heard.at(-1);
  };
  await untilHeard(1);
  for (let count = 0; count < 3; count += 1) {
    sessions += 1;
    sessionTls.observe(failedSession);
  }
  t.match(await round(), { healthy: false, code: 'BOOT_DATABASE_UNTRUSTED', detail: /not db\.internal/ });
  t.match(await round(), { healthy: false }, 'silence is no success');
  sessions += 1;
  t.match(await round(), { healthy: false }, 'it may still fail');
  t.match(await round(), { healthy: true });
});
