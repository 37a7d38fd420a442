/** The relay's counters as samples of the metrics that both daemons publish (wire/metrics.ts). */
import type { MetricSample } from '../wire/metrics.ts';
import { sample } from '../wire/metrics.ts';
import type { CounterName, RouteCounters } from './counters.ts';
import { COUNTER_NAMES } from './counters.ts';

function resets(route: string, error: string, stage: string, value: number): MetricSample {
  return sample('relay_resets_total', { route, error, stage }, value);
}

/** Of each counter, which series of which metric it is. */
const SAMPLES: Readonly<Record<CounterName, (route: string, value: number) => MetricSample>> = {
  accepted: (route, value) => sample('relay_accepted_connections_total', { route }, value),
  opened: (route, value) => sample('relay_connections_total', { route, outcome: 'opened' }, value),
  active: (route, value) => sample('relay_active_connections', { route }, value),
  pending: (route, value) => sample('relay_pending_connections', { route }, value),
  silent: (route, value) => sample('relay_silent_connections', { route }, value),
  shed: (route, value) => sample('relay_shed_total', { route, reason: 'limit' }, value),
  shedSilent: (route, value) => sample('relay_shed_total', { route, reason: 'silent' }, value),
  refusedCid: (route, value) => sample('relay_connections_total', { route, outcome: 'refused_cid' }, value),
  refusedPreface: (route, value) => sample('relay_connections_total', { route, outcome: 'refused_preface' }, value),
  connectFailed: (route, value) => sample('relay_connections_total', { route, outcome: 'connect_failed' }, value),
  gone: (route, value) => sample('relay_connections_total', { route, outcome: 'gone' }, value),
  cancelled: (route, value) => sample('relay_connections_total', { route, outcome: 'cancelled' }, value),
  unopenedShed: (route, value) => sample('relay_connections_total', { route, outcome: 'shed' }, value),
  unopenedCut: (route, value) => sample('relay_connections_total', { route, outcome: 'cut' }, value),
  unopenedFailed: (route, value) => sample('relay_connections_total', { route, outcome: 'failed' }, value),
  idleClosed: (route, value) => sample('relay_broken_connections_total', { route, reason: 'idle' }, value),
  cut: (route, value) => sample('relay_broken_connections_total', { route, reason: 'cut' }, value),
  errors: (route, value) => sample('relay_broken_connections_total', { route, reason: 'error' }, value),
  bytesUp: (route, value) => sample('relay_bytes_total', { route, direction: 'up' }, value),
  bytesDown: (route, value) => sample('relay_bytes_total', { route, direction: 'down' }, value),
  largestVsockWriteBytes: (route, value) => sample('relay_largest_vsock_write_bytes', { route }, value),
  largestPendingBytes: (route, value) => sample('relay_largest_pending_bytes', { route }, value),
  resetsAtAccept: (route, value) => resets(route, 'econnreset', 'accept', value),
  resetsAtConnect: (route, value) => resets(route, 'econnreset', 'connect', value),
  resetsOpen: (route, value) => resets(route, 'econnreset', 'open', value),
  noBuffersAtAccept: (route, value) => resets(route, 'enobufs', 'accept', value),
  noBuffersAtConnect: (route, value) => resets(route, 'enobufs', 'connect', value),
  noBuffersOpen: (route, value) => resets(route, 'enobufs', 'open', value),
  heldBack: (route, value) => sample('relay_held_back_total', { route }, value),
};

/** @param counters of every route, by its label */
export function relaySamples(counters: Readonly<Record<string, RouteCounters>>): readonly MetricSample[] {
  return Object.entries(counters).flatMap(([route, of]) => COUNTER_NAMES.map((name) => SAMPLES[name](route, of[name])));
}
