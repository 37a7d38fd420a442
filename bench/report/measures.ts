/** What is measured: its words, and which way it is better. */
import { median } from '../median.ts';

export interface Measure {
  readonly title: string;
  readonly digits: number;
  readonly better: 'more' | 'less';
}

export const MEASURES = {
  gigabits: { title: 'Gbit/s', digits: 2, better: 'more' },
  cpuMsPerGib: { title: 'CPU ms a GiB', digits: 0, better: 'less' },
  p50Us: { title: 'p50 µs', digits: 1, better: 'less' },
  p99Us: { title: 'p99 µs', digits: 1, better: 'less' },
  p999Us: { title: 'p99.9 µs', digits: 1, better: 'less' },
  cpuUsPerTrip: { title: 'CPU µs a trip', digits: 2, better: 'less' },
  perSecond: { title: 'a second', digits: 0, better: 'more' },
  cpuUsPerConnection: { title: 'CPU µs each', digits: 1, better: 'less' },
  transactions: { title: 'a second', digits: 0, better: 'more' },
  latencyMs: { title: 'ms, mean', digits: 2, better: 'less' },
  cpuUs: { title: 'CPU µs', digits: 1, better: 'less' },
  askingUs: { title: 'CPU µs of the one who asks', digits: 1, better: 'less' },
  waitUs: { title: 'µs waited', digits: 0, better: 'less' },
  tookMs: { title: 'ms', digits: 1, better: 'less' },
  cpuMs: { title: 'ms of CPU', digits: 1, better: 'less' },
  residentMb: { title: 'resident MB', digits: 1, better: 'less' },
  idleCpuMsPerSecond: { title: 'CPU ms a second', digits: 2, better: 'less' },
} as const satisfies Readonly<Record<string, Measure>>;

export type MeasureName = keyof typeof MEASURES;

/** The middle, and from which to which. */
export interface Summary {
  readonly middle: number;
  readonly least: number;
  readonly most: number;
}

export function summarise(values: readonly number[]): Summary {
  return { middle: median(values), least: Math.min(...values), most: Math.max(...values) };
}
