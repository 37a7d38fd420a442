/**
 * Tells whether sessions can work now, by a probe of the database and one of acra-server, so that a failure
 * names the one to blame. acra-server can be alive and deaf (acra-server contract 3.6), so
 * only an active probe counts.
 */
import { BackgroundTask } from '../runtime/background-task.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/log.ts';
import type { Service } from '../runtime/service.ts';
import type { SupervisedChild } from './children/child.ts';
import { SupervisorError } from './errors.ts';
import type { AcraProbe } from './probes/acra.ts';
import { probeAcra } from './probes/acra.ts';
import type { DatabaseProbe } from './probes/database.ts';
import { probeDatabase } from './probes/database.ts';

export interface Health {
  readonly healthy: boolean;
  readonly code: string | null;
  readonly detail: string | null;
}

export interface ProbeTargets {
  readonly acra: AcraProbe;
  readonly database: DatabaseProbe;
}

/**
 * Resolves when sessions can work.
 * @throws SupervisorError BOOT_DATABASE_UNREACHABLE, BOOT_DATABASE_NO_TLS, BOOT_DATABASE_UNTRUSTED, CHILD_NOT_READY,
 * CHILD_DEAF; all may pass by themselves
 */
export async function probeThrough(targets: ProbeTargets, signal: AbortSignal): Promise<void> {
  const database = await probeDatabase(targets.database, signal);
  if (database.kind === 'unreachable')
    throw new SupervisorError('BOOT_DATABASE_UNREACHABLE', 'the database cannot be reached');
  if (database.kind === 'without-tls')
    throw new SupervisorError('BOOT_DATABASE_NO_TLS', 'the database does not speak TLS');
  if (database.kind === 'untrusted') {
    throw new SupervisorError('BOOT_DATABASE_UNTRUSTED', 'the database shows a certificate that is not trusted', {
      found: database.reason,
    });
  }
  const acra = await probeAcra(targets.acra, signal);
  if (acra === 'deaf') throw new SupervisorError('CHILD_DEAF', 'acra-server runs but accepts no connections');
  if (acra === 'unreachable') throw new SupervisorError('CHILD_NOT_READY', 'acra-server does not listen');
}

export interface HealthDeps {
  readonly targets: ProbeTargets;
  readonly intervalMs: number;
  readonly acra: SupervisedChild;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onHealth: (health: Health) => void;
  /** The monitor itself broke: nobody would notice anything any more. */
  readonly onFailure: (error: unknown) => void;
}

/** This many probes in a row that nobody accepted mean that acra-server must be replaced. */
const DEAF_AFTER = 3;

export class HealthMonitor implements Service {
  readonly #deps: HealthDeps;
  readonly #task: BackgroundTask;
  #wake = new AbortController();
  #deafProbes = 0;

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

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // Before the probe: a poke that comes while it runs is about what it may have missed.
      this.#wake = new AbortController();
      await this.#probeOnce(signal);
      await this.#deps.clock
        .sleep(this.#deps.intervalMs, AbortSignal.any([signal, this.#wake.signal]))
        .catch(() => signal.throwIfAborted());
    }
  }

  async #probeOnce(signal: AbortSignal): Promise<void> {
    try {
      await probeThrough(this.#deps.targets, signal);
      this.#deafProbes = 0;
      this.#deps.onHealth({ healthy: true, code: null, detail: null });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof SupervisorError)) throw error;
      this.#deps.onHealth({ healthy: false, code: error.code, detail: error.message });
      this.#countDeaf(error);
    }
  }

  #countDeaf(error: SupervisorError): void {
    this.#deafProbes = error.code === 'CHILD_DEAF' ? this.#deafProbes + 1 : 0;
    if (this.#deafProbes < DEAF_AFTER) return;
    this.#deafProbes = 0;
    this.#deps.logger.log('error', 'child.deaf', { child: 'acra-server', probes: DEAF_AFTER });
    this.#deps.acra.killUnresponsive();
  }
}
