/** What host-proxy itself publishes, beside what the enclave tells (wire/metrics.ts): declarations, and where the numbers come from. */
import { ownDescriptors, ownResidentBytes } from '../../../system/processes/own-resources.ts';
import { ENCLAVE_STATES } from '../../../wire/control/messages.ts';
import { codeOrOther } from '../../../wire/control/said.ts';
import type { MetricDeclaration } from '../../../wire/metric-declaration.ts';
import type { MetricSample } from '../../../wire/metrics.ts';
import type { Alarm } from '../alarms/alarm-board.ts';
import type { HostStatus, MeasuredStatus } from '../host-status.ts';

export const HOST_METRICS = {
  build_info: {
    kind: 'gauge',
    help: '1 on the releases of host-proxy and of the enclave',
    labels: ['release', 'enclave_release'],
  },
  ready: { kind: 'gauge', help: '1 while applications can connect and their sessions work', labels: [] },
  ingress_shedding: {
    kind: 'gauge',
    help: '1 while the public ports shed connections, for a limit or to make room for others',
    labels: [],
  },
  state: { kind: 'gauge', help: '1 on the state of the enclave, 0 on all others', labels: ['state'] },
  reason: {
    kind: 'gauge',
    help: '1 on the error code of why applications cannot connect, where there is one',
    labels: ['code'],
  },
  alerts_active: {
    kind: 'gauge',
    help: 'How many series each alert of the status page holds for now; none of those that are quiet',
    labels: ['alert', 'severity'],
  },
  boot_phase: { kind: 'gauge', help: '1 on the boot phase that runs or ran last', labels: ['phase'] },
  control_connected: { kind: 'gauge', help: '1 while the enclave is connected to report to host-proxy', labels: [] },
  machine_restarts_total: {
    kind: 'counter',
    help: 'Starts of the machine after its first, by the daemon that runs it',
    labels: [],
  },
  log_records_total: {
    kind: 'counter',
    help: 'Log records of the enclave that were received, and that its full buffer had dropped',
    labels: ['outcome'],
  },
  attestation_http_answers_total: {
    kind: 'counter',
    help: 'Answers to requests for an attestation document over HTTP, by status',
    labels: ['status'],
  },
  host_egress_connections: {
    kind: 'gauge',
    help: 'Connections of the enclave for HTTP egress that host-proxy holds now',
    labels: [],
  },
  host_egress_requests_total: {
    kind: 'counter',
    help: 'Requests of the enclave for HTTP egress, by what became of them on the parent',
    labels: ['outcome'],
  },
  kept_key_sets: {
    kind: 'gauge',
    help: 'Key sets on disk: whole ones, and folders that hold none',
    labels: ['state'],
  },
  kept_key_set_generation: {
    kind: 'gauge',
    help: 'Generation of the newest key set on disk, of the one that the enclave works with, and of the one that an enclave took last',
    labels: ['of'],
  },
  kept_key_set_refusals_total: { kind: 'counter', help: 'Key sets that the enclave refused', labels: [] },
  kept_keys_in_trouble: {
    kind: 'gauge',
    help: '1 while the enclave does not work with the newest key set on disk, although it could be brought',
    labels: [],
  },
  kept_keys_audit_broken: {
    kind: 'gauge',
    help: '1 when the audit log of key operations is no whole chain',
    labels: [],
  },
  log_write_failures_total: { kind: 'counter', help: 'Attempts to write a line of the log that failed', labels: [] },
  host_proxy_resident_memory_bytes: { kind: 'gauge', help: 'Resident memory of host-proxy', labels: [] },
  host_proxy_open_descriptors: { kind: 'gauge', help: 'File descriptors that host-proxy holds', labels: [] },
  host_proxy_descriptor_limit: { kind: 'gauge', help: 'File descriptors that host-proxy may hold', labels: [] },
} as const satisfies Readonly<Record<string, MetricDeclaration>>;
type HostMetricName = keyof typeof HOST_METRICS;

const STATES = [...ENCLAVE_STATES, 'unknown', 'lost'] as const;

function one(name: HostMetricName, value: number, labels: Readonly<Record<string, string>> = {}): MetricSample {
  return { name, labels, value };
}

/** What the enclave said of its end says more than that it ended. */
function reasonCode({ ready, reason, machine }: MeasuredStatus): string | undefined {
  if (ready || reason === null || reason.code === null) return undefined;
  const end = machine?.lastEnd ?? null;
  return codeOrOther(end?.code === reason.code ? (end.reported?.code ?? reason.code) : reason.code);
}

/** None where this instance keeps no keys. */
function keySamples(keys: HostStatus['keys']): readonly MetricSample[] {
  if (keys === null) return [];
  const { newest, taken, audit } = keys;
  const generations = { newest, taken, last_taken: audit.lastTaken };
  return [
    one('kept_key_sets', keys.sets, { state: 'whole' }),
    one('kept_key_sets', keys.damaged, { state: 'damaged' }),
    ...Object.entries(generations).flatMap(([of, set]) =>
      set === null ? [] : one('kept_key_set_generation', set.generation, { of }),
    ),
    one('kept_key_set_refusals_total', keys.refusals),
    one('kept_keys_in_trouble', keys.problem === null ? 0 : 1),
    one('kept_keys_audit_broken', audit.broken ? 1 : 0),
  ];
}

/** Of each alert once, whatever it is about. For those who count rates from the second number of a series on, and so miss a first one. */
export function alertSamples(alarms: readonly Alarm[]): readonly MetricSample[] {
  const byAlert = Map.groupBy(alarms, ({ alert }) => alert);
  return [...byAlert].map(([alert, held]) =>
    one('alerts_active', held.length, { alert, severity: held[0]?.severity ?? '' }),
  );
}

/** None where host-proxy.yaml has no such section. */
function egressSamples(egress: HostStatus['egress']): readonly MetricSample[] {
  if (egress === null) return [];
  const requests = Object.entries(egress.outcomes);
  return [
    one('host_egress_connections', egress.open),
    ...requests.map(([outcome, count]) => one('host_egress_requests_total', count, { outcome })),
  ];
}

/** @param unwrittenLines attempts to write a line of the log that failed */
export function hostSamples(status: MeasuredStatus, unwrittenLines: number): readonly MetricSample[] {
  const { release, enclaveRelease, enclave, logs, machine } = status;
  const { open, limit } = ownDescriptors();
  const code = reasonCode(status);
  return [
    one('build_info', 1, { release, enclave_release: enclaveRelease ?? '' }),
    one('ready', status.ready ? 1 : 0),
    one('ingress_shedding', status.shedding.active ? 1 : 0),
    ...STATES.map((state) => one('state', state === status.state ? 1 : 0, { state })),
    ...(code === undefined ? [] : [one('reason', 1, { code })]),
    ...(enclave === null ? [] : [one('boot_phase', 1, { phase: enclave.phase })]),
    one('control_connected', status.connected ? 1 : 0),
    ...(machine === null ? [] : [one('machine_restarts_total', machine.restarts)]),
    one('log_records_total', logs.received, { outcome: 'received' }),
    one('log_records_total', logs.dropped, { outcome: 'dropped' }),
    ...Object.entries(status.attestation?.answers ?? {}).map(([code, count]) =>
      one('attestation_http_answers_total', count, { status: code }),
    ),
    ...egressSamples(status.egress),
    ...keySamples(status.keys),
    one('log_write_failures_total', unwrittenLines),
    one('host_proxy_resident_memory_bytes', ownResidentBytes()),
    one('host_proxy_open_descriptors', open),
    one('host_proxy_descriptor_limit', limit),
  ];
}
