/** Memory, descriptors, the clock, connections and log records: what runs out before the service does. */
import type { Watch } from '../watch.ts';

const MINUTE_MS = 60_000;
const MIB = 1024 * 1024;

const lost = (alert: string, metric: string, labels: Readonly<Record<string, string>>, what: string): Watch => ({
  alert,
  severity: 'ticket',
  runbook: 'logs-lost',
  summary: what,
  description: 'What happened meanwhile cannot be read any more. Look at the disk, and at whoever floods the log.',
  condition: { kind: 'grew', metric, labels, by: [], value: 0, withinMs: 10 * MINUTE_MS },
  forMs: 0,
});

export const RESOURCE_WATCHES: readonly Watch[] = [
  {
    alert: 'AcraEnclaveMemoryLow',
    severity: 'page',
    runbook: 'memory-low',
    summary: 'the enclave has less than 128 MiB of memory left',
    description: 'The kernel ends programs next. Fewer identities at once (acra.maxRunning), or more memory.',
    condition: { kind: 'below', metric: 'machine_available_memory_bytes', value: 128 * MIB },
    forMs: 5 * MINUTE_MS,
  },
  {
    alert: 'AcraEnclaveHostProxyMemory',
    severity: 'ticket',
    runbook: 'host-proxy-memory',
    summary: 'host-proxy holds more than 1 GiB',
    description: 'It takes far less by day (docs/performance.md). Something grows.',
    condition: { kind: 'above', metric: 'host_proxy_resident_memory_bytes', value: 1024 * MIB },
    forMs: 10 * MINUTE_MS,
  },
  {
    alert: 'AcraEnclaveHostDescriptors',
    severity: 'page',
    runbook: 'descriptors',
    summary: 'host-proxy uses more than four fifths of its file descriptors',
    description: 'Connections are refused when they run out.',
    condition: {
      kind: 'exceeds',
      metric: 'host_proxy_open_descriptors',
      factor: 0.8,
      other: { metric: 'host_proxy_descriptor_limit' },
    },
    forMs: 5 * MINUTE_MS,
  },
  {
    alert: 'AcraEnclaveSupervisorDescriptors',
    severity: 'page',
    runbook: 'descriptors',
    summary: 'the supervisor uses more than four fifths of its file descriptors',
    description: 'Connections are refused when they run out.',
    condition: {
      kind: 'exceeds',
      metric: 'supervisor_open_descriptors',
      factor: 0.8,
      other: { metric: 'supervisor_descriptor_limit' },
    },
    forMs: 5 * MINUTE_MS,
  },
  {
    alert: 'AcraEnclaveClockBehind',
    severity: 'ticket',
    runbook: 'clock-drift',
    summary: 'the clock of the enclave is more than a second behind the hypervisor’s',
    description: 'Certificates are judged by it.',
    condition: { kind: 'above', metric: 'clock_drift_seconds', value: 1 },
    forMs: 5 * MINUTE_MS,
  },
  {
    alert: 'AcraEnclaveClockAhead',
    severity: 'ticket',
    runbook: 'clock-drift',
    summary: 'the clock of the enclave is more than a second ahead of the hypervisor’s',
    description: 'Certificates are judged by it.',
    condition: { kind: 'below', metric: 'clock_drift_seconds', value: -1 },
    forMs: 5 * MINUTE_MS,
  },
  {
    alert: 'AcraEnclaveRelayResets',
    severity: 'ticket',
    runbook: 'relay-resets',
    summary: 'more than 50 connections of a route were reset within ten minutes',
    description: 'A peer, a network, or a kernel whose vsock is known to reset: docs/vsock-kernels.md.',
    condition: {
      kind: 'grew',
      metric: 'relay_resets_total',
      by: ['side', 'route', 'error'],
      value: 50,
      withinMs: 10 * MINUTE_MS,
    },
    forMs: 0,
  },
  {
    alert: 'AcraEnclaveUpstreamUnreachable',
    severity: 'ticket',
    runbook: 'upstream-unreachable',
    summary: 'a route did not reach its upstream more than ten times within ten minutes',
    description: 'The database, KMS or instance metadata do not take connections of this instance.',
    condition: {
      kind: 'grew',
      metric: 'relay_connections_total',
      labels: { outcome: 'connect_failed' },
      by: ['side', 'route'],
      value: 10,
      withinMs: 10 * MINUTE_MS,
    },
    forMs: 0,
  },
  lost('AcraEnclaveLogsDropped', 'log_records_total', { outcome: 'dropped' }, 'log records of the enclave were lost'),
  lost('AcraEnclaveLogsUnwritten', 'log_write_failures_total', {}, 'lines of the log could not be written'),
  lost('AcraEnclaveProgramLinesLost', 'program_lost_lines_total', {}, 'lines of programs were left out of the log'),
];
