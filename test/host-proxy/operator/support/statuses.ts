/** Status documents as a daemon could serve them: one of a quiet day, and one in which everything that may be there is there. */
import type { HostStatus } from '../../../../host-proxy/operator/host-status.ts';

const NOW_MS = Date.UTC(2026, 10, 30, 3, 12, 9);
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const hex = (character: string, length: number) => character.repeat(length);

export const QUIET: HostStatus = {
  release: '0.1.0',
  processId: 1,
  startedMs: NOW_MS - 3 * DAY_MS,
  nowMs: NOW_MS,
  state: 'serving',
  ready: true,
  reason: null,
  connected: true,
  silentMs: 840,
  publicAddress: 'tcp://0.0.0.0:5432',
  shedding: { active: false, sinceMs: null, total: 0 },
  attestation: { address: 'tcp://127.0.0.1:9465', answers: { 200: 2, 429: 1 } },
  egress: null,
  enclave: { state: 'serving', phase: 'serve', detail: null, errorCode: null, sinceMs: NOW_MS - DAY_MS },
  boot: [],
  bootId: 'b',
  enclaveRelease: '0.1.0',
  simulated: true,
  measurements: null,
  acraServer: null,
  certificates: [],
  guard: null,
  identities: null,
  figures: { routes: [], sessions: null, guard: null, programs: [], leaseAgeMs: null, enclave: null },
  alarms: [],
  keys: null,
  logs: { received: 0, dropped: 0 },
  machine: null,
};

const route = (side: 'parent' | 'enclave', name: string, busy: number): HostStatus['figures']['routes'][number] => ({
  side,
  route: name,
  active: busy,
  pending: busy > 100 ? 2 : 0,
  accepted: 40 * busy,
  opened: 39 * busy,
  errors: { connect_failed: 0, broken_idle: 0, broken_error: busy > 100 ? 3 : 0, shed_limit: 0, resets: 0 },
  bytesUp: 73_000 * busy,
  bytesDown: 1_930_000 * busy,
});

const PHASES: readonly (readonly [string, number])[] = [
  ['machine', 210],
  ['control', 4],
  ['nsm', 31],
  ['entropy', 7],
  ['clock', 2],
  ['configuration', 96],
  ['tls-key', 12],
  ['commitment', 9],
  ['requests', 1],
  ['clock-kept', 0],
  ['heartbeat', 3],
  ['egress', 5],
  ['credentials', 118],
  ['kms-entropy', 91],
  ['key-set', 340],
  ['master-key', 88],
  ['keystore', 57],
  ['certificate', 61_200],
  ['acra', 812],
  ['ready', 140],
];

/** Someone has to look at it, and everything is told. */
export const FULL: HostStatus = {
  ...QUIET,
  simulated: false,
  shedding: { active: true, sinceMs: NOW_MS - 6 * MINUTE_MS, total: 1_204 },
  attestation: { address: 'tcp://10.0.3.7:9465', answers: { 200: 51, 429: 3 } },
  egress: { open: 4, outcomes: { connected: 912, unlisted: 1 } },
  boot: PHASES.map(([phase, durationMs]) => ({ phase, durationMs })),
  bootId: '5f0b7c1e-8f0d-4a53-9d3b-2f1f4f1f0a11',
  measurements: {
    PCR0: hex('3e', 48),
    PCR1: hex('b4', 48),
    PCR2: hex('71', 48),
    PCR3: hex('0', 96),
    PCR16: hex('9c', 48),
  },
  acraServer: 'acra-server 0.96.0',
  certificates: [
    { certificate: 'server', endsMs: NOW_MS + 2 * DAY_MS, life: 'ending' },
    { certificate: 'client-ca', endsMs: NOW_MS + 900 * DAY_MS, life: 'valid' },
    { certificate: 'database-ca', endsMs: NOW_MS - DAY_MS / 2, life: 'expired' },
  ],
  guard: { mode: 'report', relations: 'listed', migrations: [{ table: 'patients', column: 'insurance_number' }] },
  identities: {
    known: 12,
    running: 3,
    listed: [
      { clientId: hex('a7', 64), state: 'serving', sessions: 118, restarts: 0 },
      { clientId: hex('0c', 64), state: 'closed', sessions: 0, restarts: 4 },
      { clientId: hex('f3', 64), state: 'starting', sessions: 2, restarts: 0 },
    ],
  },
  figures: {
    routes: [
      route('parent', 'ingress', 121),
      route('parent', 'kms', 1),
      route('parent', 'control', 1),
      route('enclave', 'ingress', 121),
      route('enclave', 'database', 120),
    ],
    sessions: { open: 120, pending: 1, evicted: 17, refused: { certificate: 12, revoked: 2, failures: 0 } },
    guard: {
      statements: { untouched: 981_223, protected: 402_113, refused: 19, reported: 4 },
      refused: { expression: 19 },
      reported: { 'function-unlisted': 4 },
      values: { encrypted: 88_120, hashed: 13_009, decrypted: 1_204_551 },
      containersElsewhere: 3,
      contradictedCells: 1,
    },
    programs: [
      { program: 'front', isHealthy: true, restarts: 0, residentBytes: 96_000_000, alarms: {} },
      { program: 'guard-a7a7a7a7a7a7', isHealthy: true, restarts: 0, residentBytes: 131_000_000, alarms: {} },
      { program: 'acra-a7a7a7a7a7a7', isHealthy: false, restarts: 4, residentBytes: 44_000_000, alarms: { poison: 1 } },
    ],
    leaseAgeMs: 3_900_000,
    enclave: { uptimeMs: DAY_MS, availableBytes: 1_410_000_000 },
  },
  alarms: [
    {
      alert: 'AcraEnclaveSheds',
      severity: 'page',
      summary: 'the public ports shed connections',
      description:
        'A limit is reached, or silent connections make room for others. Sessions of clients that speak go on.',
      labels: {},
      detail: '',
      sinceMs: NOW_MS - 6 * MINUTE_MS,
      runbook: 'sheds',
    },
    {
      alert: 'AcraEnclaveOutage',
      severity: 'page',
      summary: 'something that the enclave needs is away',
      description:
        'The database, KMS, credentials, the clock or a program in the enclave: the code says which. It is tried again.',
      labels: { code: 'BOOT_DATABASE_UNREACHABLE' },
      detail: '',
      sinceMs: NOW_MS - 4 * MINUTE_MS,
      runbook: 'BOOT_DATABASE_UNREACHABLE',
    },
    {
      alert: 'AcraEnclaveCertificateEnds',
      severity: 'ticket',
      summary: 'a certificate ends within 30 days',
      description: 'Most certificates are measured: a new one means a new image, and a key policy that allows it.',
      labels: { certificate: 'server' },
      detail: 'at 2026-12-02 03:12:09 UTC',
      sinceMs: NOW_MS - 3 * DAY_MS,
      runbook: 'certificate-ends',
    },
  ],
  keys: {
    folder: '/var/lib/acra-enclave/keys',
    sets: 7,
    newest: { generation: 7, sha256: hex('77', 32) },
    taken: { generation: 6, sha256: hex('66', 32) },
    problem: { code: 'HOST_KEYS_NOT_TAKEN', message: 'the enclave works with generation 6' },
    damaged: 1,
    doubled: [5],
    refusals: 2,
    audit: { head: hex('ab', 32), broken: true, lastTaken: { generation: 6, set: hex('65', 32) } },
  },
  logs: { received: 48_112, dropped: 2 },
  machine: {
    stage: 'serving',
    stageSinceMs: NOW_MS - DAY_MS,
    driver: 'nitro-cli',
    debug: true,
    id: 'i-0a1b2c3d4e5f60718-enc19acd3b1f2a3',
    cid: 16,
    image: '/var/lib/acra-enclave/acra-enclave.eif',
    restarts: 3,
    lastEnd: {
      atMs: NOW_MS - DAY_MS - MINUTE_MS,
      code: 'ENCLAVE_DIED',
      reason: 'the machine ended with exit code 137',
      reported: { code: 'SUPERVISOR_HELD', message: 'the thread was held for a minute' },
    },
  },
};

/** The database is away, and the daemon says why nobody can connect. */
export const DEGRADED: HostStatus = {
  ...FULL,
  state: 'degraded',
  ready: false,
  publicAddress: null,
  reason: { code: 'BOOT_DATABASE_UNREACHABLE', message: 'the database cannot be reached' },
  enclave: {
    state: 'degraded',
    phase: 'serve',
    detail: 'the database cannot be reached',
    errorCode: 'BOOT_DATABASE_UNREACHABLE',
    sinceMs: NOW_MS - 4 * MINUTE_MS,
  },
};
