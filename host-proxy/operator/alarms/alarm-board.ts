/**
 * Which of what is watched needs somebody now: for the status page, where no Prometheus need be. It is shown the samples of `/metrics` every
 * second, and remembers only what it has seen itself: a daemon that starts anew begins anew, as `increase()` does.
 * Other than that it counts the first number of a new series: a poison record that an identity reads within seconds of its start is one.
 */
import { z } from 'zod';
import type { Clock } from '../../../runtime/clock.ts';
import type { EnclaveMetricName, MetricSample } from '../../../wire/metrics.ts';
import { Growth } from './growth.ts';
import { type Condition, SEVERITIES, type Selected, type Watch } from './watch.ts';

/** Series of one watch that are told. */
const MAX_SERIES = 20;
const MS_PER_SECOND = 1_000;
const MS_PER_MINUTE = 60_000;
const OF_EVERY_ENCLAVE: EnclaveMetricName = 'supervisor_uptime_seconds';

export const alarm = z.object({
  /** As Prometheus calls it (deploy/monitoring/acra-enclave.rules.yaml). */
  alert: z.string(),
  severity: z.enum(SEVERITIES),
  summary: z.string(),
  description: z.string(),
  /** Of the series that it is about. */
  labels: z.record(z.string(), z.string()),
  /** How far it is, where that is not said yet: `grew by 3 within 10 min`. */
  detail: z.string(),
  /** When it began to hold, by the daemon's clock. */
  sinceMs: z.int(),
  /** A file of docs/runbooks, without `.md`. */
  runbook: z.string(),
});
export type Alarm = z.infer<typeof alarm>;

interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

type Samples = readonly MetricSample[];

function isWanted({ labels: wanted = {} }: Selected, labels: Series['labels']): boolean {
  return Object.entries(wanted).every(([label, values]) => [values].flat().includes(labels[label] ?? ''));
}

const select = (samples: Samples, selected: Selected): Series[] =>
  samples.filter(({ name, labels }) => name === selected.metric && isWanted(selected, labels));

const keyOf = (labels: Series['labels'], without: readonly string[] = []) =>
  JSON.stringify(
    Object.entries(labels)
      .filter(([label]) => !without.includes(label))
      .sort(),
  );

/** Those of one metric that are above so many times their counterpart. */
function exceeding(series: readonly Series[], samples: Samples, condition: Extract<Condition, { kind: 'exceeds' }>) {
  const { factor, other } = condition;
  const apart = Object.keys({ ...condition.labels, ...other.labels });
  const limits = new Map(select(samples, other).map(({ labels, value }) => [keyOf(labels, apart), value * factor]));
  return series.filter(({ labels, value }) => value > (limits.get(keyOf(labels, apart)) ?? Number.POSITIVE_INFINITY));
}

export class AlarmBoard {
  readonly #clock: Clock;
  readonly #watches: readonly Watch[];
  readonly #growth = new Map<Watch, Growth>();
  /** What holds, and since when, by both clocks. */
  #holding = new Map<string, { readonly monotonicMs: number; readonly wallMs: number }>();
  /** Of an enclave that was heard all along, what it has not told before has just begun. */
  #wasHeard = false;
  #active: readonly Alarm[] = [];

  constructor(watches: readonly Watch[], clock: Clock) {
    this.#watches = watches;
    this.#clock = clock;
  }

  /** As of the last look. */
  get active(): readonly Alarm[] {
    return this.#active;
  }

  /** @param samples of both daemons */
  look(samples: Samples): void {
    const nowMs = this.#clock.monotonicMs();
    const now = { monotonicMs: nowMs, wallMs: this.#clock.nowMs() };
    const before = this.#holding;
    this.#holding = new Map();
    this.#active = this.#watches.flatMap((watch) =>
      this.#holds(watch, samples, nowMs)
        .slice(0, MAX_SERIES)
        .flatMap((series) => {
          const key = `${watch.alert} ${keyOf(series.labels)}`;
          const since = before.get(key) ?? now;
          this.#holding.set(key, since);
          return nowMs - since.monotonicMs < watch.forMs ? [] : tell(watch, series, since.wallMs);
        }),
    );
    this.#wasHeard = samples.some(({ name }) => name === OF_EVERY_ENCLAVE);
  }

  #holds(watch: Watch, samples: Samples, nowMs: number): readonly Series[] {
    const { condition } = watch;
    const series = select(samples, condition);
    switch (condition.kind) {
      case 'above':
        return series.filter(({ value }) => value > condition.value);
      case 'below':
        return series.filter(({ value }) => value < condition.value);
      case 'exceeds':
        return exceeding(series, samples, condition);
      case 'ends-within': {
        const until = (this.#clock.nowMs() + condition.withinMs) / MS_PER_SECOND;
        return series.filter(({ value }) => value < until);
      }
      case 'grew': {
        const growth = this.#growth.get(watch) ?? new Growth(condition.withinMs);
        this.#growth.set(watch, growth);
        return growth.by(condition.by, series, nowMs, this.#wasHeard).filter(({ value }) => value > condition.value);
      }
    }
  }
}

function detailOf(condition: Condition, value: number): string {
  switch (condition.kind) {
    case 'grew':
      return `grew by ${Math.round(value)} within ${condition.withinMs / MS_PER_MINUTE} min`;
    case 'ends-within':
      return `at ${new Date(value * MS_PER_SECOND).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
    case 'exceeds':
      return `now ${Math.round(value)}`;
    default:
      // Of what is 0 or 1 it says nothing.
      return Math.abs(condition.value) > 1 ? `now ${Math.round(value)}` : '';
  }
}

function tell(watch: Watch, { labels, value }: Series, sinceMs: number): Alarm {
  const { alert, severity, summary, description, runbook, condition } = watch;
  const page = typeof runbook === 'string' ? runbook : (labels[runbook.label] ?? '');
  return { alert, severity, summary, description, labels, detail: detailOf(condition, value), sinceMs, runbook: page };
}
