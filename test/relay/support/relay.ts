/** A relay of the test's own, stopped when the test ends, and the records that it logged. */
import { enableCompileCache } from 'node:module';
import type { RouteCounters } from '../../../relay/counters.ts';
import type { RelayDependencies } from '../../../relay/relay.ts';
import { Relay } from '../../../relay/relay.ts';
import type { RouteLimits, RouteSpec } from '../../../relay/route.ts';
import type { LogEvent, LogFields, Logger, LogLevel } from '../../../runtime/log.ts';
import type { Endpoint } from '../../../wire/endpoint.ts';
import { parseEndpoint } from '../../../wire/endpoint.ts';

// The relay's threads follow: they start in half the time.
enableCompileCache();

interface Test {
  teardown(fn: () => unknown): void;
}

interface Logged {
  readonly level: LogLevel;
  readonly event: LogEvent;
  readonly fields: LogFields;
}

export class RecordingLogger implements Logger {
  readonly records: Logged[] = [];
  #waiters: (() => void)[] = [];

  log(level: LogLevel, event: LogEvent, fields: LogFields = {}): void {
    this.records.push({ level, event, fields });
    for (const wake of this.#waiters.splice(0)) wake();
  }

  of(event: LogEvent): Logged[] {
    return this.records.filter((record) => record.event === event);
  }

  /** The first record of the event, as soon as there is one. */
  async until(event: LogEvent): Promise<Logged> {
    for (;;) {
      const [first] = this.of(event);
      if (first !== undefined) return first;
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }
}

export async function startRelay(
  t: Test,
  deps: Partial<RelayDependencies> = {},
): Promise<{ readonly relay: Relay; readonly log: RecordingLogger }> {
  const log = new RecordingLogger();
  const relay = new Relay({ logger: log, ...deps });
  await relay.start(AbortSignal.timeout(30_000));
  t.teardown(() => relay.stop());
  return { relay, log };
}

const LIMITS: RouteLimits = {
  maxConnections: 1000,
  maxPending: 1000,
  connectTimeoutMs: 10_000,
  prefaceTimeoutMs: 10_000,
  idleTimeoutMs: 0,
};

interface RouteOptions extends Partial<Omit<RouteSpec, 'listen' | 'connect' | 'limits'>> {
  readonly listen?: string;
  readonly connect: Endpoint | string;
  readonly limits?: Partial<RouteLimits>;
}

/** A route with generous limits; listens on a free TCP port unless told otherwise. */
export function route(options: RouteOptions): RouteSpec {
  const { listen = 'tcp://127.0.0.1:0', connect, limits, ...rest } = options;
  return {
    label: 'route',
    preface: { kind: 'none' },
    ...rest,
    listen: parseEndpoint(listen),
    connect: typeof connect === 'string' ? parseEndpoint(connect) : connect,
    limits: { ...LIMITS, ...limits },
  };
}

/** Counters of a route of which the test knows that it exists. */
export function countersOf(relay: Relay, label = 'route'): RouteCounters {
  const counters = relay.counters()[label];
  if (counters === undefined) throw new Error(`no counters of ${label}`);
  return counters;
}

/** The same when the worker has finished what it was doing: peers see some effects before they are counted. */
export async function settled(relay: Relay, label = 'route'): Promise<RouteCounters> {
  await relay.snapshot();
  return countersOf(relay, label);
}

/** Looks again in each turn of the event loop until the condition holds; the test's own time limit ends it otherwise. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setImmediate(resolve));
}
