/**
 * Tells whether sessions can work now, by a probe of the database and one of each acra-server, so that a failure
 * names the one to blame. acra-server can be alive and deaf (acra-server contract 3.6), so
 * only an active probe counts.
 */
import { BackgroundTask } from '../runtime/background-task.ts';
import type { Clock } from '../runtime/clock.ts';
import { CodedError, describeError } from '../runtime/errors.ts';
import type { Logger } from '../runtime/log.ts';
import type { Service } from '../runtime/service.ts';
import { SupervisorError } from './errors.ts';
import type { DatabaseAnswer } from './probes/database.ts';
import type { SessionTls } from './workloads/acra/session-tls.ts';
import type { Member } from './workloads/workload.ts';

export interface Health {
  readonly healthy: boolean;
  readonly code: string | null;
  readonly detail: string | null;
}

export interface ProbeTargets {
  /** As whoever speaks to the database for sessions would ask it; undefined where there is none. */
  readonly database?: (signal: AbortSignal) => Promise<DatabaseAnswer>;
  /** Those without which nobody is served. */
  readonly members: () => readonly Member[];
  /** Throws while certificates cannot be judged by the clock. */
  readonly clock?: () => void;
  /** What sessions meet meanwhile; undefined where the probe judges as they do. */
  readonly sessionTls?: Pick<SessionTls, 'endRound'>;
}

/**
 * Resolves when the database answers as it must, with the fingerprint of its certificate.
 * @throws SupervisorError BOOT_DATABASE_UNREACHABLE, BOOT_DATABASE_NO_TLS, BOOT_DATABASE_TLS_FAILED, BOOT_DATABASE_UNTRUSTED; all
 * may pass by themselves
 */
async function requireDatabase(probe: NonNullable<ProbeTargets['database']>, signal: AbortSignal): Promise<string> {
  const database = await probe(signal);
  switch (database.kind) {
    case 'trusted':
      return database.fingerprint;
    case 'unreachable':
      throw new SupervisorError('BOOT_DATABASE_UNREACHABLE', 'the database cannot be reached');
    case 'without-tls':
      throw new SupervisorError('BOOT_DATABASE_NO_TLS', 'the database does not speak TLS');
    case 'handshake-failed':
      throw new SupervisorError('BOOT_DATABASE_TLS_FAILED', 'the TLS handshake with the database broke off', {
        found: database.reason,
      });
    case 'untrusted':
      throw new SupervisorError('BOOT_DATABASE_UNTRUSTED', 'the database shows a certificate that is not trusted', {
        found: database.reason,
      });
  }
}

/** @throws SupervisorError CHILD_NOT_READY, CHILD_DEAF; what its supervision knows already is told in its words */
async function requireMember({ child, probe }: Member, signal: AbortSignal): Promise<void> {
  const { state } = child;
  if (state.kind !== 'running') throw new MemberDown(state.code, state.reason);
  await probe?.(signal);
}

/** As its supervision told before: it comes back by itself unless the child has failed for good. */
export class MemberDown extends CodedError {}

/**
 * Resolves when sessions can work.
 * @throws SupervisorError as requireDatabase and requireMember do; the code of a member's end
 */
export async function probeThrough(targets: ProbeTargets, signal: AbortSignal): Promise<void> {
  if (targets.database !== undefined) await requireDatabase(targets.database, signal);
  for (const member of targets.members()) await requireMember(member, signal);
}

export interface HealthDeps {
  readonly targets: ProbeTargets;
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Of all together, after each round: the first thing that is wrong. */
  readonly onHealth: (health: Health) => void;
  /** The monitor itself broke: nobody would notice anything any more. */
  readonly onFailure: (error: unknown) => void;
}

/** This many probes in a row that nobody accepted mean that an acra-server must be replaced. */
const DEAF_AFTER = 3;
const HEALTHY: Health = { healthy: true, code: null, detail: null };

export class HealthMonitor implements Service {
  readonly #deps: HealthDeps;
  readonly #task: BackgroundTask;
  readonly #deafProbes = new Map<string, number>();
  readonly #members = new Map<string, Health>();
  #wake = new AbortController();

  constructor(deps: HealthDeps) {
    this.#deps = deps;
    this.#task = new BackgroundTask((signal) => this.#run(signal), deps.onFailure);
  }

  start(signal: AbortSignal): Promise<void> {
    return this.#task.start(signal);
  }

  stop(): Promise<void> {
    return this.#task.stop();
  }

  /** Probe now instead of at the next interval. */
  poke(): void {
    this.#wake.abort();
  }

  /** Of each acra-server, as last probed. */
  get members(): ReadonlyMap<string, Health> {
    return this.#members;
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // Before the probe: a poke that comes while it runs is about what it may have missed.
      this.#wake = new AbortController();
      this.#deps.onHealth(await this.#probeOnce(signal));
      await this.#deps.clock
        .sleep(this.#deps.intervalMs, AbortSignal.any([signal, this.#wake.signal]))
        .catch(() => signal.throwIfAborted());
    }
  }

  async #probeOnce(signal: AbortSignal): Promise<Health> {
    const { targets } = this.#deps;
    let certificate = '';
    const database = await healthOf(signal, async () => {
      if (targets.database !== undefined) certificate = await requireDatabase(targets.database, signal);
    });
    if (!database.healthy) {
      this.#deafProbes.clear();
      this.#noteMembersDown();
      return database;
    }
    const members = await Promise.all(
      targets.members().map(async (member) => {
        const health = await healthOf(signal, () => requireMember(member, signal));
        this.#members.set(member.id, health);
        this.#countDeaf(member, health);
        return health;
      }),
    );
    const sessions = await healthOf(signal, async () => targets.sessionTls?.endRound(certificate));
    const clock = await healthOf(signal, async () => targets.clock?.());
    return [...members, sessions, clock].find(({ healthy }) => !healthy) ?? HEALTHY;
  }

  /** Without a database nobody can be probed; whom supervision calls down is down all the same. */
  #noteMembersDown(): void {
    for (const { id, child } of this.#deps.targets.members()) {
      const { state } = child;
      if (state.kind !== 'running') this.#members.set(id, { healthy: false, code: state.code, detail: state.reason });
    }
  }

  #countDeaf({ id, child }: Member, { code }: Health): void {
    const probes = code === 'CHILD_DEAF' ? (this.#deafProbes.get(id) ?? 0) + 1 : 0;
    this.#deafProbes.set(id, probes === DEAF_AFTER ? 0 : probes);
    if (probes < DEAF_AFTER) return;
    this.#deps.logger.log('error', 'child.deaf', { child: id, probes: DEAF_AFTER });
    child.killUnresponsive();
  }
}

async function healthOf(signal: AbortSignal, probe: () => Promise<void>): Promise<Health> {
  try {
    await probe();
    return HEALTHY;
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof CodedError)) throw error;
    return { healthy: false, code: error.code, detail: describeError(error) };
  }
}
