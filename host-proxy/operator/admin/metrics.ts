/**
 * Prometheus metrics of both daemons (docs/metrics.md). Each scrape takes all samples anew: what an enclave no longer tells, or
 * cannot tell any more, is not shown. Counters begin at 0 with their process, which is what `rate()` expects.
 */
import { Counter, Gauge, Registry } from 'prom-client';
import type { RouteCounters } from '../../../relay/counters.ts';
import { relaySamples } from '../../../relay/samples.ts';
import type { MetricDeclaration } from '../../../wire/metric-declaration.ts';
import type { MetricSample } from '../../../wire/metrics.ts';
import { declaredSamples, SUPERVISOR_METRICS } from '../../../wire/metrics.ts';
import { RELAY_METRICS } from '../../../wire/relay-metrics.ts';
import type { Alarm } from '../alarms/alarm-board.ts';
import type { MeasuredStatus } from '../host-status.ts';
import { alertSamples, HOST_METRICS, hostSamples } from './host-metrics.ts';

export const METRIC_PREFIX = 'acra_enclave_';

export interface MetricSources {
  readonly status: () => MeasuredStatus;
  /** What holds, as of the last look at these samples. */
  readonly alarms: () => readonly Alarm[];
  /** Of this process' own relay. */
  readonly relayCounters: () => Readonly<Record<string, RouteCounters>>;
  /** What the enclave told last, while it can still be true. */
  readonly enclaveSamples: () => readonly MetricSample[];
  /** Attempts to write a line of the log that failed. */
  readonly unwrittenLines: () => number;
}

const withSide = Object.entries(RELAY_METRICS).map(
  ([name, declared]) => [name, { ...declared, labels: ['side', ...declared.labels] }] as const,
);

/** Every metric that is published, by its name without METRIC_PREFIX. */
export const PUBLISHED_METRICS: Readonly<Record<string, MetricDeclaration>> = {
  ...HOST_METRICS,
  ...SUPERVISOR_METRICS,
  ...Object.fromEntries(withSide),
};

function onSide(side: 'parent' | 'enclave', samples: readonly MetricSample[]): readonly MetricSample[] {
  return samples.map((told) =>
    Object.hasOwn(RELAY_METRICS, told.name) ? { ...told, labels: { side, ...told.labels } } : told,
  );
}

/** Those of both daemons that are published. */
export function publishedSamples(sources: MetricSources): readonly MetricSample[] {
  return [
    ...hostSamples(sources.status(), sources.unwrittenLines()),
    ...alertSamples(sources.alarms()),
    ...onSide('parent', relaySamples(sources.relayCounters())),
    ...onSide('enclave', declaredSamples(sources.enclaveSamples())),
  ];
}

function publish(metric: Counter | Gauge, samples: readonly MetricSample[]): void {
  metric.reset();
  metric.remove({}); // What has no labels would stay, as 0, though nobody tells it.
  for (const { labels, value } of samples) metric.inc(labels, value);
}

/** A registry asks all of its metrics in one turn, each for its own samples: they are made once for all of them. */
function oncePerTurn<Made>(make: () => Made): () => Made {
  let made: { readonly value: Made } | undefined;
  return () => {
    if (made === undefined) {
      made = { value: make() };
      queueMicrotask(() => {
        made = undefined;
      });
    }
    return made.value;
  };
}

export function createMetrics(sources: MetricSources): Registry {
  const registry = new Registry();
  const samples = oncePerTurn(() => Map.groupBy(publishedSamples(sources), (told) => told.name));
  for (const [name, { kind, help, labels }] of Object.entries(PUBLISHED_METRICS)) {
    const options = {
      name: `${METRIC_PREFIX}${name}`,
      help,
      labelNames: [...labels],
      registers: [registry],
      collect(this: Counter | Gauge) {
        publish(this, samples().get(name) ?? []);
      },
    };
    if (kind === 'counter') new Counter(options);
    else new Gauge(options);
  }
  return registry;
}
