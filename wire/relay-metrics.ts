/** What a relay counts, in either daemon. Names and labels are an interface (docs/metrics.md). */
import type { MetricDeclaration } from './metric-declaration.ts';

/** Of both daemons' relays; host-proxy publishes its own under the same names, and adds the label `side`. */
export const RELAY_METRICS = {
  relay_active_connections: { kind: 'gauge', help: 'Connections that the relay holds now', labels: ['route'] },
  relay_pending_connections: {
    kind: 'gauge',
    help: 'Connections that the relay holds now and that have not reached their upstream yet',
    labels: ['route'],
  },
  relay_silent_connections: {
    kind: 'gauge',
    help: 'Connections that the relay holds now and that have not said yet what they want',
    labels: ['route'],
  },
  relay_accepted_connections_total: {
    kind: 'counter',
    help: 'Connections that the listener of the route took',
    labels: ['route'],
  },
  relay_connections_total: {
    kind: 'counter',
    help: 'Connections by what became of the attempt to reach their upstream',
    labels: ['route', 'outcome'],
  },
  relay_shed_total: {
    kind: 'counter',
    help: 'Connections closed without a try because a limit was reached, or to make room while they were silent',
    labels: ['route', 'reason'],
  },
  relay_broken_connections_total: {
    kind: 'counter',
    help: 'Connections that neither of their ends closed in order, by reason',
    labels: ['route', 'reason'],
  },
  relay_bytes_total: {
    kind: 'counter',
    help: 'Bytes written, up to the upstream or down to whoever connected',
    labels: ['route', 'direction'],
  },
  relay_largest_vsock_write_bytes: {
    kind: 'gauge',
    help: 'Largest single write to a vsock or hybrid socket',
    labels: ['route'],
  },
  relay_largest_pending_bytes: {
    kind: 'gauge',
    help: 'Most that one connection held in user space because a peer did not read',
    labels: ['route'],
  },
  relay_resets_total: {
    kind: 'counter',
    help: 'Calls that told of a reset, by error and by how far the connection had come',
    labels: ['route', 'error', 'stage'],
  },
  relay_held_back_total: {
    kind: 'counter',
    help: 'Times that small writes to vsock were held back and joined, because the other end had stopped reading',
    labels: ['route'],
  },
} as const satisfies Readonly<Record<string, MetricDeclaration>>;
