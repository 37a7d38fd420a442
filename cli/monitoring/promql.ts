/** What is watched (host-proxy/operator/alarms/) in the language of Prometheus: prometheus.io, "Querying basics", "Operators". */
import { METRIC_PREFIX } from '../../host-proxy/operator/admin/metrics.ts';
import type { Condition, Selected } from '../../host-proxy/operator/alarms/watch.ts';

/** Whoever scrapes names each daemon by these. */
const OF_A_TARGET = ['job', 'instance'] as const;
const MS_PER_SECOND = 1_000;
const MS_PER_MINUTE = 60_000;

/** Prometheus' own form: `5m`, `30s`. @param ms a whole number of seconds */
export function promDuration(ms: number): string {
  return ms % MS_PER_MINUTE === 0 ? `${ms / MS_PER_MINUTE}m` : `${ms / MS_PER_SECOND}s`;
}

function selector({ metric, labels = {} }: Selected): string {
  const matchers = Object.entries(labels).map(([label, wanted]) =>
    typeof wanted === 'string' ? `${label}="${wanted}"` : `${label}=~"${wanted.join('|')}"`,
  );
  return `${METRIC_PREFIX}${metric}${matchers.length === 0 ? '' : `{${matchers.join(',')}}`}`;
}

/**
 * `increase()` takes the first number of a series for what it always was. Where the daemon was scraped all that time, a series that is new began
 * with 0: of a program that read a poison record before it was told of for the first time, the first number is 1.
 */
function growth(series: string, within: string): string {
  const began = `(${series} unless ${series} offset ${within}) and on (${OF_A_TARGET.join(', ')}) (up offset ${within} == 1)`;
  return `(${began}) or increase(${series}[${within}])`;
}

export function promql(condition: Condition): string {
  const series = selector(condition);
  switch (condition.kind) {
    case 'above':
      return `${series} > ${condition.value}`;
    case 'below':
      return `${series} < ${condition.value}`;
    case 'grew': {
      const by = [...OF_A_TARGET, ...condition.by].join(', ');
      return `sum by (${by}) (${growth(series, promDuration(condition.withinMs))}) > ${condition.value}`;
    }
    case 'exceeds': {
      const { factor, other } = condition;
      const apart = Object.keys({ ...condition.labels, ...other.labels });
      const matching = apart.length === 0 ? '' : `ignoring (${apart.join(', ')}) `;
      return `${series} > ${matching}${factor === 1 ? '' : `(${factor} * `}${selector(other)}${factor === 1 ? '' : ')'}`;
    }
    case 'ends-within':
      return `${series} - time() < ${condition.withinMs / MS_PER_SECOND}`;
  }
}
