import { readFileSync } from 'node:fs';
import t, { type Test as TapTest } from 'tap';
import { EnclaveView } from '../../../../host-proxy/enclave/view.ts';
import { LogSink } from '../../../../host-proxy/logs/log-sink.ts';
import { createMetrics, METRIC_PREFIX, PUBLISHED_METRICS } from '../../../../host-proxy/operator/admin/metrics.ts';
import type { Alarm } from '../../../../host-proxy/operator/alarms/alarm-board.ts';
import type { HostStatus } from '../../../../host-proxy/operator/host-status.ts';
import { KeyError } from '../../../../keys/errors.ts';
import { createCounters, readCounters } from '../../../../relay/counters.ts';
import { Attestor } from '../../../../supervisor/attestation/attestor.ts';
import { ClockKeeper } from '../../../../supervisor/clock/clock-keeper.ts';
import { KeyAudit } from '../../../../supervisor/keys/audit.ts';
import { Counts } from '../../../../supervisor/kms-proxy/counts.ts';
import { metricsMessage } from '../../../../supervisor/metrics.ts';
import { FrontTally } from '../../../../supervisor/workloads/sessions/front-tally.ts';
import { guardModeSamples } from '../../../../supervisor/workloads/sessions/guard-mode.ts';
import { GuardTally } from '../../../../supervisor/workloads/sessions/guard-tally.ts';
import type { MetricSample } from '../../../../wire/metrics.ts';
import { MAX_SERIES, sample } from '../../../../wire/metrics.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { MemoryLogger } from '../../../support/memory-logger.ts';
import { FULL, QUIET } from '../support/statuses.ts';

const STATUS: HostStatus = {
  ...QUIET,
  release: '1.2.3',
  shedding: { active: true, sinceMs: 0, total: 7 },
  attestation: { address: 'tcp://127.0.0.1:9465', answers: { 200: 2, 429: 1 } },
  egress: { open: 4, outcomes: { connected: 9, unlisted: 1 } },
  bootId: 'boot',
  enclaveRelease: '1.2.2',
  keys: {
    folder: '/var/lib/acra-enclave/keys',
    sets: 7,
    newest: { generation: 7, sha256: '77'.repeat(32) },
    taken: { generation: 6, sha256: '66'.repeat(32) },
    problem: { code: 'KMS_ACCESS_DENIED', message: 'no' },
    damaged: 1,
    doubled: [],
    refusals: 2,
    audit: { head: null, broken: false, lastTaken: { generation: 6, set: '66'.repeat(32) } },
  },
  logs: { received: 11, dropped: 2 },
  machine: {
    stage: 'serving',
    stageSinceMs: 0,
    driver: 'qemu',
    debug: false,
    id: 'i',
    cid: 16,
    image: '/image.eif',
    restarts: 3,
    lastEnd: null,
  },
};

function reporting(t: TapTest, status: Partial<HostStatus> = {}, alarms: readonly Alarm[] = []) {
  const clock = new FakeClock();
  const view = new EnclaveView(clock, 20_000);
  const sink = new LogSink({ level: 'info', file: '/dev/full', clock });
  t.teardown(() => sink.close());
  const registry = createMetrics({
    status: () => ({ ...STATUS, ...status }),
    alarms: () => alarms,
    relayCounters: () => ({ ingress: readCounters(createCounters()) }),
    enclaveSamples: () => view.metrics?.samples ?? [],
    unwrittenLines: () => sink.refused,
  });
  const report = (samples: readonly MetricSample[]) => {
    view.metrics = { type: 'metrics', samples: [...samples] as never };
    view.heard();
  };
  return { clock, view, sink, report, registry, scrape: () => registry.metrics() };
}

/** What counts itself in every enclave. */
function ofTheEnclave(): readonly MetricSample[] {
  const clock = new FakeClock();
  const nsm = { attest: () => Promise.reject(new Error('not asked')) };
  const stated = { encoding: Buffer.alloc(0), commitment: Buffer.alloc(48) };
  const platform = { hypervisorTimeMs: () => undefined, setWallClock: async () => undefined };
  const common = { nsm, clock, logger: new MemoryLogger() };
  const attestor = new Attestor({
    ...common,
    stated,
    tlsKeySha256: () => Buffer.alloc(32),
    publicKey: Buffer.alloc(32),
  });
  const keeper = new ClockKeeper({ ...common, platform, checkMs: 1, maxJumpMs: 1, onFailure: () => undefined });
  const lease = [sample('lease_age_seconds', {}, 1), sample('lease_questions_total', { outcome: 'renewed' }, 1)];
  const audit = new KeyAudit(new MemoryLogger());
  audit.refused('take', new KeyError('KEY_SET_INVALID', 'none'));
  const ports = [
    sample('port_connections', { port: 'web' }, 3),
    sample('port_pending_connections', { port: 'web' }, 1),
    sample('port_evicted_total', { port: 'web' }, 0),
    sample('port_refused_total', { port: 'web', reason: 'late' }, 2),
    sample('program_lost_lines_total', { program: 'web' }, 3),
  ];
  const egress = [
    sample('egress_requests_total', { outcome: 'connected' }, 1),
    sample('egress_connections', {}, 1),
    sample('egress_dns_queries_total', { outcome: 'noerror' }, 1),
    sample('egress_names', {}, 1),
  ];
  return [...attestor.samples, ...keeper.samples, ...lease, ...audit.samples, ...ports, ...egress];
}

function ofTheKmsProxy(): readonly MetricSample[] {
  const counts = new Counts();
  counts.count('GenerateDataKey', 'answered');
  return counts.samples;
}

/** As a supervisor that has one of everything tells it. */
const everything = metricsMessage({
  relayCounters: { kms: { ...readCounters(createCounters()), opened: 3, bytesUp: 5, bytesDown: 7, shed: 1 } },
  children: [{ name: 'acra-server', pid: process.pid, restarts: 4, alarms: new Map([['poison', 1]]), isHealthy: true }],
  workload: [
    ...new FrontTally().samples,
    ...new GuardTally().samples,
    ...ofTheEnclave(),
    ...ofTheKmsProxy(),
    ...guardModeSamples({
      mode: 'report',
      relations: 'listed',
      migrations: [{ table: 'patients', column: 'name', beside: 'name_protected', old: 'name_plain' }],
    }),
  ],
  certificateEnds: [{ certificate: 'server', subject: 'CN=records', endsMs: 1_800_000_000_000 }],
  suppressedRecords: 9,
  uptimeMs: 1_500,
}).samples;

for (const [what, goAway] of [
  ['whose machine has ended', ({ view }) => view.machineEnded()],
  ['that is silent', ({ clock }) => clock.advance(20_001)],
] as const satisfies readonly (readonly [string, (parts: ReturnType<typeof reporting>) => void])[]) {
  t.test(`serves no numbers of an enclave ${what}`, async (t) => {
    const parts = reporting(t);
    parts.report(everything);
    const alive = await parts.scrape();
    t.match(alive, 'acra_enclave_relay_connections_total{side="enclave",route="kms",outcome="opened"} 3');
    t.match(alive, 'acra_enclave_supervisor_uptime_seconds 1.5');
    goAway(parts);
    const dead = await parts.scrape();
    t.notMatch(dead, 'side="enclave"');
    t.notMatch(dead, /^acra_enclave_(supervisor|child|alarms|machine_available)/m);
    t.match(dead, 'side="parent"');
  });
}

t.test('forgets a number that the enclave no longer tells', async (t) => {
  const { report, scrape } = reporting(t);
  report([sample('child_restarts_total', { child: 'one' }, 1), sample('supervisor_uptime_seconds', {}, 1)]);
  t.match(await scrape(), 'acra_enclave_child_restarts_total{child="one"} 1');
  report([sample('child_restarts_total', { child: 'two' }, 1)]);
  const text = await scrape();
  t.notMatch(text, 'child="one"');
  t.notMatch(text, /^acra_enclave_supervisor_uptime_seconds/m);
});

t.test('publishes counters as counters, each direction and outcome a series of its own', async (t) => {
  const { report, scrape } = reporting(t);
  report(everything);
  const text = await scrape();
  for (const line of [
    '# TYPE acra_enclave_relay_bytes_total counter',
    'acra_enclave_relay_bytes_total{side="enclave",route="kms",direction="up"} 5',
    'acra_enclave_relay_bytes_total{side="enclave",route="kms",direction="down"} 7',
    'acra_enclave_relay_shed_total{side="enclave",route="kms",reason="limit"} 1',
    'acra_enclave_alarms_total{child="acra-server",concern="poison"} 1',
    'acra_enclave_child_restarts_total{child="acra-server"} 4',
    'acra_enclave_child_healthy{child="acra-server"} 1',
    'acra_enclave_certificate_expiry_timestamp_seconds{certificate="server"} 1800000000',
    'acra_enclave_log_records_suppressed_total 9',
    '# TYPE acra_enclave_relay_active_connections gauge',
    'acra_enclave_log_records_total{outcome="dropped"} 2',
    'acra_enclave_machine_restarts_total 3',
    'acra_enclave_ingress_shedding 1',
    'acra_enclave_state{state="serving"} 1',
    'acra_enclave_state{state="failed"} 0',
    'acra_enclave_boot_phase{phase="serve"} 1',
    'acra_enclave_build_info{release="1.2.3",enclave_release="1.2.2"} 1',
  ]) {
    t.ok(text.split('\n').includes(line), line);
  }
});

t.test('counts the lines that could not be written', async (t) => {
  const { sink, scrape } = reporting(t);
  sink.log('info', 'test.line');
  sink.log('info', 'test.line');
  t.match(await scrape(), 'acra_enclave_log_write_failures_total 2');
});

t.test('says nothing of a machine that another runs, nor of a phase before the enclave has spoken', async (t) => {
  const text = await reporting(t, { machine: null, enclave: null, state: 'unknown' }).scrape();
  t.notMatch(text, /^acra_enclave_machine_restarts_total/m);
  t.notMatch(text, /^acra_enclave_boot_phase/m);
  t.match(text, 'acra_enclave_state{state="unknown"} 1');
});

t.test('publishes nothing that is not declared, whatever an enclave tells', async (t) => {
  const { report, scrape } = reporting(t);
  const forged: MetricSample[] = [
    { name: 'ready', labels: {}, value: 0 },
    { name: 'constructor', labels: {}, value: 1 },
    { name: 'invented_total', labels: {}, value: 1 },
    { name: 'relay_active_connections', labels: { route: 'kms', side: 'parent' }, value: 1 },
    { name: 'relay_active_connections', labels: {}, value: 1 },
    { name: 'relay_active_connections', labels: { route: 'Kms"\n' }, value: 1 },
    { name: 'child_restarts_total', labels: { child: 'one' }, value: -1 },
    ...Array.from({ length: 1_000 }, (_, count) => ({
      name: 'child_restarts_total',
      labels: { child: `c${count}` },
      value: 1,
    })),
    { name: 'child_restarts_total', labels: { child: 'c0' }, value: 5 },
  ];
  report(forged);
  const text = await scrape();
  t.match(text, /^acra_enclave_ready 1$/m);
  t.notMatch(text, 'invented');
  t.notMatch(text, 'side="enclave"');
  t.notMatch(text, 'child="one"');
  t.equal(text.match(/^acra_enclave_child_restarts_total\{/gm)?.length, MAX_SERIES);
  t.match(text, 'acra_enclave_child_restarts_total{child="c0"} 1', 'and one sample a series');
});

interface Documented {
  readonly name: string;
  readonly kind: string;
  readonly labels: readonly string[];
  readonly help: string;
}

const ROW = /^\| `(\w+)` \| (\w+) \| ([^|]*)\| ([^|]+) \|$/gm;
const documented: readonly Documented[] = [
  ...readFileSync(new URL('../../../../docs/metrics.md', import.meta.url), 'utf8').matchAll(ROW),
].map(([, name = '', kind = '', labels = '', help = '']) => ({
  name,
  kind,
  labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label = '']) => label),
  help,
}));

t.test('documents every metric with its type, labels and help, and no other', async (t) => {
  const byName = (one: Documented, other: Documented) => one.name.localeCompare(other.name);
  const published = Object.entries(PUBLISHED_METRICS).map(([name, { kind, labels, help }]) => ({
    name: `${METRIC_PREFIX}${name}`,
    kind,
    labels: [...labels],
    help,
  }));
  t.same([...documented].sort(byName), published.sort(byName));
});

t.test('gives every published metric a number, with the labels that are documented', async (t) => {
  const reason = { code: 'KMS_UNAVAILABLE', message: 'it does not answer' };
  const { report, registry } = reporting(t, { ready: false, reason }, FULL.alarms);
  report(everything);
  for (const metric of await registry.getMetricsAsJSON()) {
    const { labels = [] } = documented.find(({ name }) => name === metric.name) ?? {};
    t.ok(metric.values.length > 0, metric.name);
    for (const { labels: given } of metric.values) t.same(Object.keys(given).sort(), [...labels].sort(), metric.name);
  }
});

/** What promtool looks for (prometheus/common promlint), and what it cannot see. */
t.test('names metrics as Prometheus demands', async (t) => {
  for (const { name, kind, labels, help } of documented) {
    t.match(name, /^acra_enclave(_[a-z][a-z0-9]*)+$/, name);
    t.equal(name.endsWith('_total'), kind === 'counter', `${name}: _total is for counters, and every counter's`);
    t.notMatch(name, /_(count|sum|bucket|gauge|counter)$/, name);
    t.notMatch(
      name,
      /_(ms|millis|milliseconds|minutes|hours|kb|kib|mb|mib|kilobytes|megabytes|percent|sec|secs)(_|$)/,
      name,
    );
    t.match(help, /^[A-Z1].*[^.]$/, `${name}: help is a sentence without a period`);
    for (const label of labels) t.match(label, /^[a-z]+(_[a-z]+)*$/, `${name}: ${label}`);
  }
  t.equal(new Set(documented.map(({ name }) => name)).size, documented.length);
});

t.test('names no counter like a gauge with _total, which would be one family in OpenMetrics', async (t) => {
  const names = new Set(documented.map(({ name }) => name));
  t.same(
    [...names].filter((name) => names.has(`${name}_total`)),
    [],
  );
});
