/**
 * What the enclave counts and the parent publishes, declared once: the supervisor tells samples of these metrics and of no others,
 * host-proxy publishes these under ENCLAVE_PREFIX and leaves out whatever else it is told. Names and labels are an interface
 * (docs/metrics.md) and follow Prometheus' naming: base units, `_total` for what only grows until the process starts anew.
 */
import type { MetricDeclaration } from './metric-declaration.ts';
import { RELAY_METRICS } from './relay-metrics.ts';

/** Of the enclave alone. */
export const SUPERVISOR_METRICS = {
  machine_available_memory_bytes: {
    kind: 'gauge',
    help: 'Memory of the enclave that programs could still get without swapping',
    labels: [],
  },
  supervisor_resident_memory_bytes: { kind: 'gauge', help: 'Resident memory of the supervisor', labels: [] },
  supervisor_open_descriptors: { kind: 'gauge', help: 'File descriptors that the supervisor holds', labels: [] },
  supervisor_descriptor_limit: { kind: 'gauge', help: 'File descriptors that the supervisor may hold', labels: [] },
  supervisor_uptime_seconds: { kind: 'gauge', help: 'Time since the supervisor started', labels: [] },
  child_resident_memory_bytes: {
    kind: 'gauge',
    help: 'Resident memory of a supervised program, 0 while it does not run',
    labels: ['child'],
  },
  child_restarts_total: {
    kind: 'counter',
    help: 'Starts of a supervised program after its first',
    labels: ['child'],
  },
  child_healthy: {
    kind: 'gauge',
    help: '1 while a supervised program answered its last probe, 0 otherwise',
    labels: ['child'],
  },
  certificate_expiry_timestamp_seconds: {
    kind: 'gauge',
    help: 'When a certificate of the measured folder, or the one of a key made in the enclave, ends, in seconds since the epoch',
    labels: ['certificate'],
  },
  alarms_total: {
    kind: 'counter',
    help: 'Alarms that the log of a supervised program raised, by what is at stake',
    labels: ['child', 'concern'],
  },
  clock_drift_seconds: {
    kind: 'gauge',
    help: 'How far the clock of the hypervisor was ahead of that of the enclave when last read, before any correction',
    labels: [],
  },
  clock_checks_total: {
    kind: 'counter',
    help: 'Comparisons of the clock with that of the hypervisor, by what became of them',
    labels: ['outcome'],
  },
  attestation_requests_total: {
    kind: 'counter',
    help: 'Requests for an attestation document that the enclave answered, refused for a limit, or could not answer',
    labels: ['outcome'],
  },
  front_sessions: { kind: 'gauge', help: 'Sessions that the front has let in and that go on', labels: [] },
  front_pending_connections: {
    kind: 'gauge',
    help: 'Connections at the front that have not shown yet whose they are',
    labels: [],
  },
  front_evicted_total: {
    kind: 'counter',
    help: 'Connections that the front closed to make room while they had not shown yet whose they are',
    labels: [],
  },
  front_refused_total: {
    kind: 'counter',
    help: 'Connections that the front refused before they were sessions, by reason',
    labels: ['reason'],
  },
  front_attestation_connections: {
    kind: 'gauge',
    help: 'Connections for attestation that the front holds now',
    labels: [],
  },
  front_attestations_total: {
    kind: 'counter',
    help: 'Connections for attestation on the public port, by what became of them',
    labels: ['outcome'],
  },
  port_connections: {
    kind: 'gauge',
    help: 'Clients that a port of an application holds whose TLS ended in the enclave',
    labels: ['port'],
  },
  port_pending_connections: {
    kind: 'gauge',
    help: 'Connections at a port of an application that have not ended their handshake yet',
    labels: ['port'],
  },
  port_evicted_total: {
    kind: 'counter',
    help: 'Connections that a port of an application closed to make room, in their handshake or while nothing was owed',
    labels: ['port'],
  },
  port_refused_total: {
    kind: 'counter',
    help: 'Connections and requests that a port of an application refused, by reason',
    labels: ['port', 'reason'],
  },
  program_lost_lines_total: { kind: 'counter', help: 'Lines of programs left out of the log', labels: ['program'] },
  guard_mode: {
    kind: 'gauge',
    help: '1 on what the guard does with statements that it cannot protect, 0 on the other',
    labels: ['mode'],
  },
  guard_relations: {
    kind: 'gauge',
    help: '1 on which relations and functions may receive values, 0 on the other',
    labels: ['relations'],
  },
  guard_migrations: {
    kind: 'gauge',
    help: '1 for each column whose values go in plaintext until the rows there are have been encrypted',
    labels: ['table', 'column'],
  },
  guard_statements_total: {
    kind: 'counter',
    help: 'Statements by what they do and what became of them',
    labels: ['statement', 'verdict'],
  },
  guard_refusals_total: {
    kind: 'counter',
    help: 'Texts that were refused, or would have been where the guard only reports, by why',
    labels: ['reason', 'outcome'],
  },
  guard_values_total: {
    kind: 'counter',
    help: 'Values that the engine encrypted, hashed or decrypted',
    labels: ['operation'],
  },
  guard_login_tokens_total: {
    kind: 'counter',
    help: 'Tokens for logins to the database that guards asked for, by what became of it',
    labels: ['outcome'],
  },
  guard_containers_elsewhere_total: {
    kind: 'counter',
    help: 'Containers in cells that nobody protects, which went to the client as they are stored',
    labels: [],
  },
  guard_contradicted_cells_total: {
    kind: 'counter',
    help: 'Cells of protected columns that were left as they are stored because the row description spoke against it',
    labels: [],
  },
  guard_phase_seconds_total: {
    kind: 'counter',
    help: 'Time that statements took, by phase',
    labels: ['phase'],
  },
  lease_age_seconds: { kind: 'gauge', help: 'Time since KMS last granted the master key', labels: [] },
  lease_questions_total: {
    kind: 'counter',
    help: 'Questions to KMS whether it still grants the master key, by what became of them',
    labels: ['outcome'],
  },
  keys_in_use_generation: {
    kind: 'gauge',
    help: 'Generation of the key set in use, 0 while there is none',
    labels: [],
  },
  key_operations_total: {
    kind: 'counter',
    help: 'Key sets that were to be taken or made, by what was asked and what became of it',
    labels: ['operation', 'outcome'],
  },
  kms_proxy_requests_total: {
    kind: 'counter',
    help: 'Requests of programs to the KMS proxy, by action and by what became of them',
    labels: ['action', 'outcome'],
  },
  egress_requests_total: {
    kind: 'counter',
    help: 'What programs of an application asked of the HTTP proxy and of the addresses of names, by what became of it',
    labels: ['outcome'],
  },
  egress_connections: {
    kind: 'gauge',
    help: 'Connections to targets of HTTP egress that are open or being made',
    labels: [],
  },
  egress_dns_queries_total: {
    kind: 'counter',
    help: 'Queries of programs to the DNS inside the enclave, by what was answered',
    labels: ['outcome'],
  },
  egress_names: { kind: 'gauge', help: 'Names that have a loopback address of their own', labels: [] },
  log_records_suppressed_total: {
    kind: 'counter',
    help: 'Log records of the enclave left out because too many of their kind came in a minute',
    labels: [],
  },
} as const satisfies Readonly<Record<string, MetricDeclaration>>;

const ENCLAVE_METRICS = { ...RELAY_METRICS, ...SUPERVISOR_METRICS };
type EnclaveMetrics = typeof ENCLAVE_METRICS;
export type EnclaveMetricName = keyof EnclaveMetrics;
type LabelsOf<Name extends EnclaveMetricName> = Readonly<Record<EnclaveMetrics[Name]['labels'][number], string>>;

export interface MetricSample<Name extends string = string> {
  readonly name: Name;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A sample that has the labels which its metric is declared with. */
export function sample<Name extends EnclaveMetricName>(
  name: Name,
  labels: LabelsOf<Name>,
  value: number,
): MetricSample<Name> {
  return { name, labels, value };
}

/** Series of one metric that are published; a route or program more is one more. */
export const MAX_SERIES = 100;
/** What routes, programs, outcomes and concerns are called. */
const LABEL_VALUE = /^[a-z][a-z0-9_-]{0,40}$/;

function isDeclared({ name, labels, value }: MetricSample): boolean {
  if (!Object.hasOwn(ENCLAVE_METRICS, name) || !(Math.abs(value) <= Number.MAX_SAFE_INTEGER)) return false;
  const declared: MetricDeclaration = ENCLAVE_METRICS[name as EnclaveMetricName];
  if (declared.kind === 'counter' && value < 0) return false;
  return (
    Object.keys(labels).length === declared.labels.length &&
    declared.labels.every((label) => LABEL_VALUE.test(labels[label] ?? ''))
  );
}

/**
 * The samples that are declared above: no other names and labels, no negative counters, nothing that adds up to infinity (which JSON has
 * not), one sample a series, at most MAX_SERIES of a metric. So an enclave can neither forge a metric of the parent's nor fill a monitoring system with series.
 */
export function declaredSamples(samples: readonly MetricSample[]): readonly MetricSample<EnclaveMetricName>[] {
  const series = new Map<string, Map<string, MetricSample>>();
  for (const told of samples) {
    if (!isDeclared(told)) continue;
    const known = series.get(told.name) ?? new Map<string, MetricSample>();
    series.set(told.name, known);
    const key = JSON.stringify(Object.entries(told.labels).sort());
    if (known.size < MAX_SERIES && !known.has(key)) known.set(key, told);
  }
  return [...series.values()].flatMap((known) => [...known.values()]) as MetricSample<EnclaveMetricName>[];
}
