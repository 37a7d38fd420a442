/**
 * The daemon in the enclave: walks the boot table, opens the public listener, watches, and stops in order.
 * Whatever ends it is said on the log and status channels first.
 */

import { randomUUID } from 'node:crypto';
import type { AcraProgram } from '../acra/obtain/program.ts';
import { StopRequested, untilAborted } from '../runtime/abort.ts';
import type { Clock } from '../runtime/clock.ts';
import { Deadline } from '../runtime/deadline.ts';
import { describeError, errorCode } from '../runtime/errors.ts';
import type { Logger } from '../runtime/log.ts';
import type { Random } from '../runtime/random.ts';
import { CONTROL_PROTOCOL } from '../wire/control/messages.ts';
import { BootTimes } from './boot/boot-times.ts';
import type { BootTable } from './boot/phase.ts';
import { boot } from './boot/phase.ts';
import type { ChildState } from './children/child.ts';
import { ControlConnection } from './control/connection.ts';
import { LogBuffer } from './control/log-buffer.ts';
import { LimitedLogger } from './control/log-limiter.ts';
import type { Health } from './health.ts';
import { HealthMonitor } from './health.ts';
import { identitiesMessage, metricsMessage } from './metrics.ts';
import type { Platform } from './platform.ts';
import { PublicRoutes } from './public-routes.ts';
import { privateSocket } from './routes.ts';
import type { Serving } from './serving.ts';
import { StatusBoard } from './status.ts';
import { OUTPUT_EVENT } from './workloads/app/output.ts';

const FLUSH_MS = 2_000;
const FAREWELL_MS = 1_000;
/** Longer than acra-server's grace; what is not undone by then ends with the process. */
const CLEANUP_MS = 15_000;
const MAX_STACK_CHARACTERS = 2_000;
/** Before the configuration is read nobody can say how many records to keep. */
const LOG_BUFFER_RECORDS = 10_000;

export interface SupervisorDeps {
  readonly platform: Platform;
  readonly folder: string;
  /** Undefined where enclave.yaml names another workload: the boot of an application is walked then. */
  readonly acraProgram: AcraProgram | undefined;
  readonly release: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Where records also go besides the control connection: the console. */
  readonly console: Logger;
  /** Called when it has come up, and serves. */
  readonly onServing?: () => void;
  /** Default: the product's own for this workload; a longer one goes on from there. */
  readonly table?: BootTable<Serving>;
}

export type SupervisorExit = { readonly kind: 'stopped' } | { readonly kind: 'failed'; readonly error: unknown };

export class Supervisor {
  readonly #deps: SupervisorDeps;
  readonly #status: StatusBoard;
  readonly #logs: LogBuffer;
  readonly #logger: LimitedLogger;
  readonly #control: ControlConnection;
  readonly #stop = new AbortController();
  readonly #cleanups = new AsyncDisposableStack();
  readonly #startedMs: number;
  #failure: unknown;

  constructor(deps: SupervisorDeps) {
    this.#deps = deps;
    const { clock, random, platform } = deps;
    this.#startedMs = clock.monotonicMs();
    this.#status = new StatusBoard(clock);
    this.#logs = new LogBuffer({
      clock,
      maxRecords: LOG_BUFFER_RECORDS,
      onRecord: (record) => {
        // Programs may say more than a console takes, and whoever writes to one waits for it.
        if (platform.simulated || record.event !== OUTPUT_EVENT)
          deps.console.log(record.level, record.event as `${string}.${string}`, record.fields);
        this.#control.pushLogs();
      },
    });
    this.#logger = new LimitedLogger(this.#logs, clock);
    this.#control = new ControlConnection({
      socketPath: privateSocket(platform, 'control').path,
      hello: {
        type: 'hello',
        protocol: CONTROL_PROTOCOL,
        bootId: randomUUID(),
        release: deps.release,
        simulated: platform.simulated,
      },
      logs: this.#logs,
      logger: this.#logger,
      currentStatus: () => this.#status.current,
      onStopRequest: () => this.requestStop('the parent asked'),
      onFailure: (error) => this.#fail(error),
      clock,
      random,
    });
    const bootTimes = new BootTimes(clock);
    this.#status.subscribe((status) => {
      this.#control.send({ type: 'status', status });
      if (bootTimes.follow(status)) this.#control.send({ type: 'boot', phases: bootTimes.phases }, { sticky: true });
    });
  }

  requestStop(reason: string): void {
    if (this.#stop.signal.aborted) return;
    this.#logger.log('info', 'supervisor.stopping', { reason });
    this.#stop.abort(new StopRequested(`stop: ${reason}`));
  }

  /** Runs until told to stop, or until the boot fails. Never rejects. */
  async run(): Promise<SupervisorExit> {
    const exit = await this.#bootAndServe();
    if (exit.kind === 'failed') {
      this.#logger.log('fatal', 'supervisor.failed', {
        code: errorCode(exit.error),
        reason: describeError(exit.error),
      });
    }
    await this.#flush();
    await this.#cleanups.disposeAsync();
    return exit;
  }

  /** For whoever must end at once: says why, and gives the parent a moment to take it. Never rejects. */
  async lastWords(error: unknown): Promise<void> {
    const reason = describeError(error);
    const stack = error instanceof Error ? (error.stack ?? '').slice(0, MAX_STACK_CHARACTERS) : '';
    this.#logger.log('fatal', 'supervisor.panic', { reason, stack });
    this.#status.set({ state: 'failed', detail: reason, errorCode: 'SUPERVISOR_PANIC' });
    await this.#flush();
  }

  /** The clock's timer, unlike `AbortSignal.timeout`, keeps a process alive that has nothing else to wait for. */
  async #flush(): Promise<void> {
    this.#logger.settle();
    using deadline = new Deadline(this.#deps.clock, FLUSH_MS);
    await this.#control.flush(deadline.signal);
  }

  async #bootAndServe(): Promise<SupervisorExit> {
    const { platform, clock, random, folder, acraProgram } = this.#deps;
    this.#logger.log('info', 'supervisor.started', { release: this.#deps.release, simulated: platform.simulated });
    const context = {
      platform,
      clock,
      random,
      logger: this.#logger,
      status: this.#status,
      defer: (cleanup: () => Promise<void> | void, extraMs = 0) =>
        this.#cleanups.defer(() => this.#runCleanup(cleanup, CLEANUP_MS + extraMs)),
      fail: (error: unknown) => this.#fail(error),
      stop: (reason: string) => this.requestStop(reason),
      outputLog: this.#logs,
    };
    try {
      const start = { folder, acraProgram, control: this.#control };
      await this.#serve(await boot(await this.#table(), start, context, this.#stop.signal));
      return this.#stopped();
    } catch (error) {
      return this.#stop.signal.aborted ? this.#stopped() : this.#failed(error);
    }
  }

  /** Whoever starts us has read in the measured enclave.yaml which workload it is; what the other one needs is not loaded. */
  async #table(): Promise<BootTable<Serving>> {
    const { table, acraProgram } = this.#deps;
    if (table) return table;
    return acraProgram === undefined
      ? (await import('./boot/app-table.ts')).appTable
      : (await import('./boot/table.ts')).bootTable;
  }

  #stopped(): SupervisorExit {
    if (this.#failure !== undefined) return this.#failed(this.#failure);
    this.#status.set({ state: 'stopped' });
    return { kind: 'stopped' };
  }

  #failed(error: unknown): SupervisorExit {
    this.#status.set({ state: 'failed', detail: describeError(error), errorCode: errorCode(error) ?? null });
    return { kind: 'failed', error };
  }

  /** Something that everything else stands on is gone; what is left is an ordered stop. What broke first is the reason. */
  #fail(error: unknown): void {
    this.#failure ??= error;
    this.requestStop(describeError(error));
  }

  /** One cleanup that fails, or waits for something that never comes, must not keep the others from running. */
  async #runCleanup(cleanup: () => Promise<void> | void, maxMs: number): Promise<void> {
    using deadline = new Deadline(this.#deps.clock, maxMs);
    try {
      await untilAborted(Promise.resolve(cleanup()), deadline.signal);
    } catch (error) {
      if (deadline.hasPassed) this.#logger.log('error', 'supervisor.cleanup-late', { maxMs });
      else this.#logger.log('error', 'supervisor.cleanup-failed', { reason: describeError(error) });
    }
  }

  async #serve(booted: Serving): Promise<void> {
    const { relay, fleet, config, certificateEnds, serverCertificate, counting } = booted;
    const { clock } = this.#deps;
    const publicRoutes = new PublicRoutes(relay, booted.publicRoutes);
    const monitor = this.#watchHealth(booted, () => void publicRoutes.close(1));
    const isOpen = await publicRoutes.open();
    // Left out where somebody has failed meanwhile: a failure stays (wire/control/messages.ts).
    this.#status.set({ state: 'serving', phase: 'serve' });
    const routes = booted.publicRoutes.map(({ label }) => label).join(', ');
    if (isOpen) this.#logger.log('info', 'supervisor.serving', { routes });
    const report = () => {
      if (fleet.identities !== undefined) this.#control.send(identitiesMessage(fleet.identities), { sticky: true });
      this.#control.send(
        metricsMessage({
          relayCounters: relay.counters(),
          children: fleet.members.map(({ id, child, alarms }) => ({
            name: id,
            pid: child.pid,
            restarts: child.restarts,
            alarms,
            isHealthy: monitor.members.get(id)?.healthy ?? child.state.kind === 'running',
          })),
          workload: counting.flatMap(({ samples }) => samples),
          certificateEnds: [...certificateEnds, ...serverCertificate.ends],
          suppressedRecords: this.#logger.suppressed,
          uptimeMs: clock.monotonicMs() - this.#startedMs,
        }),
        { sticky: true },
      );
    };
    await monitor.start(this.#stop.signal);
    this.#deps.onServing?.();
    await this.#reportUntilStopped(report, config.health.metricsIntervalMs);
    this.#status.set({ state: 'stopping' });
    await monitor.stop();
    const { drainMs } = config.restart;
    const draining = fleet.drain(drainMs);
    // Those that are told of their end need a moment to hear it.
    const sessionsCut = await publicRoutes.close(drainMs + FAREWELL_MS);
    await fleet.stop();
    await draining;
    this.#logger.log('info', 'supervisor.drained', { sessionsCut });
  }

  /** @param onAllFailed nobody is left who could serve */
  #watchHealth({ fleet, config, probeTargets, clockKeeper }: Serving, onAllFailed: () => void): HealthMonitor {
    const monitor = new HealthMonitor({
      targets: { ...probeTargets, clock: () => clockKeeper.require() },
      intervalMs: config.health.probeIntervalMs,
      clock: this.#deps.clock,
      logger: this.#logger,
      onFailure: (error) => this.#fail(error),
      onHealth: (health) => {
        if (!this.#stop.signal.aborted) this.#showHealth(health);
      },
    });
    const follow = ({ state }: { readonly state: ChildState }) => {
      if (state.kind === 'running') {
        monitor.poke();
        return;
      }
      const hasFailed =
        fleet.essential.length > 0 && fleet.essential.every(({ child }) => child.state.kind === 'failed');
      this.#status.set({ state: hasFailed ? 'failed' : 'degraded', detail: state.reason, errorCode: state.code });
      if (hasFailed) onAllFailed();
    };
    fleet.subscribe((_member, state) => follow({ state }));
    // What became of one between its boot phase and now has been told to nobody.
    for (const { child } of fleet.essential) if (child.state.kind !== 'running') follow(child);
    return monitor;
  }

  #showHealth(health: Health): void {
    const state = health.healthy ? 'serving' : 'degraded';
    const { current } = this.#status;
    if (current.state === state && current.errorCode === health.code) return;
    this.#status.set({ state, detail: health.detail, errorCode: health.code });
    this.#logger.log(health.healthy ? 'info' : 'error', 'health.changed', {
      state,
      code: health.code,
      detail: health.detail,
    });
  }

  async #reportUntilStopped(report: () => void, intervalMs: number): Promise<void> {
    while (!this.#stop.signal.aborted) {
      report();
      this.#logger.tick();
      await this.#deps.clock.sleep(intervalMs, this.#stop.signal).catch(() => undefined);
    }
  }
}
