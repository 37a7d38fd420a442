/**
 * For each alert, series of one instance that must make it fire and of another that must not, in promtool's notation: `0x5 3` is six times 0 and
 * then 3, a minute apart. Written by hand, as an operator would put the requirement: the thresholds are not taken from the rules.
 */
export interface Tried {
  readonly alert: string;
  /** Without the labels of a target. */
  readonly series: string;
  readonly fires: string;
  readonly stays: string;
  /** Further series that both instances have. */
  readonly beside?: Readonly<Record<string, string>>;
  /** Minutes after which it fires. */
  readonly atMin: number;
  /** Minutes after which it does not yet. */
  readonly notYetMin?: number;
  /** Of the alert, beside those of the target. */
  readonly labels?: Readonly<Record<string, string>>;
}

const DAY = 86_400;
const grew = { fires: '0x5 1x20', stays: '7x26', atMin: 8 } as const;
const code = (alert: string, name: string, atMin: number, notYetMin: number, other: string): Tried => ({
  alert,
  series: `acra_enclave_reason{code="${name}"}`,
  fires: '1x30',
  stays: '_x30',
  beside: { [`acra_enclave_reason{code="${other}"}`]: '1x30' },
  atMin,
  notYetMin,
  labels: { code: name },
});
const alarm = (alert: string, concern: string): Tried => ({
  alert,
  series: `acra_enclave_alarms_total{child="acra-1",concern="${concern}"}`,
  ...grew,
  labels: { concern },
});

export const TRIED: readonly Tried[] = [
  { alert: 'AcraEnclaveDown', series: 'up', fires: '1 0x20', stays: '1x20', atMin: 4, notYetMin: 2 },
  {
    alert: 'AcraEnclaveRefusalsJump',
    series: 'acra_enclave_guard_refusals_total{reason="literal",outcome="refused"}',
    fires: '0+1x80 80+300x20',
    stays: '0+100x100',
    atMin: 95,
    notYetMin: 80,
  },
  {
    alert: 'AcraEnclaveNotReady',
    series: 'acra_enclave_ready',
    fires: '1 0x20',
    stays: '1 0 0 1x20',
    atMin: 7,
    notYetMin: 5,
  },
  code('AcraEnclaveRefused', 'KMS_ACCESS_DENIED', 2, 0, 'KMS_UNAVAILABLE'),
  code('AcraEnclaveAwaitsPeople', 'KEY_SHARES_AWAITED', 6, 4, 'KMS_UNAVAILABLE'),
  code('AcraEnclaveOutage', 'KMS_UNAVAILABLE', 4, 2, 'KMS_ACCESS_DENIED'),
  code('AcraEnclaveFailed', 'ENCLAVE_GAVE_UP', 2, 0, 'KMS_UNAVAILABLE'),
  {
    alert: 'AcraEnclaveLost',
    series: 'acra_enclave_state{state="lost"}',
    fires: '0 1x20',
    stays: '0x20',
    atMin: 3,
    notYetMin: 1,
    labels: { state: 'lost' },
  },
  {
    alert: 'AcraEnclaveBootFails',
    series: 'acra_enclave_machine_restarts_total',
    fires: '0 1 2 3 4 4x20',
    stays: '3 3x10 4x20',
    atMin: 6,
  },
  { alert: 'AcraEnclaveMachineRestarted', series: 'acra_enclave_machine_restarts_total', ...grew },
  {
    alert: 'AcraEnclaveProgramRestarts',
    series: 'acra_enclave_child_restarts_total{child="front"}',
    fires: '0 1 2 3 4 5 6x20',
    stays: '0 1 2 2x20',
    atMin: 8,
    labels: { child: 'front' },
  },
  {
    alert: 'AcraEnclaveProgramUnhealthy',
    series: 'acra_enclave_child_healthy{child="acra-1"}',
    fires: '1 0x20',
    stays: '1 0 1x20',
    atMin: 4,
    notYetMin: 2,
    labels: { child: 'acra-1' },
  },
  {
    alert: 'AcraEnclaveSheds',
    series: 'acra_enclave_ingress_shedding',
    fires: '0 1x20',
    stays: '0 1 0x20',
    atMin: 7,
    notYetMin: 5,
  },
  alarm('AcraEnclavePoisonRecord', 'poison'),
  {
    ...alarm('AcraEnclavePoisonRecord', 'poison'),
    series: 'acra_enclave_alarms_total{child="acra-new",concern="poison"}',
    fires: '_x12 1x20',
    stays: '0x33',
    beside: { up: '1x33' },
    atMin: 13,
    notYetMin: 11,
  },
  alarm('AcraEnclavePlaintext', 'plaintext'),
  alarm('AcraEnclaveUndetected', 'undetected'),
  alarm('AcraEnclaveUnexamined', 'unexamined'),
  {
    alert: 'AcraEnclaveGuardReports',
    series: 'acra_enclave_guard_mode{mode="report"}',
    fires: '1x20',
    stays: '0x20',
    atMin: 6,
    notYetMin: 4,
    labels: { mode: 'report' },
  },
  {
    alert: 'AcraEnclaveStatementsRefused',
    series: 'acra_enclave_guard_refusals_total{reason="literal",outcome="refused"}',
    ...grew,
    labels: { reason: 'literal' },
  },
  { alert: 'AcraEnclaveRevokedCertificate', series: 'acra_enclave_front_refused_total{reason="revoked"}', ...grew },
  { alert: 'AcraEnclaveForeignLogin', series: 'acra_enclave_guard_login_tokens_total{outcome="denied"}', ...grew },
  { alert: 'AcraEnclaveLoginsLimited', series: 'acra_enclave_guard_login_tokens_total{outcome="limited"}', ...grew },
  {
    alert: 'AcraEnclaveKmsProxyRefused',
    series: 'acra_enclave_kms_proxy_requests_total{action="decrypt",outcome="refused-by-kms"}',
    ...grew,
    labels: { action: 'decrypt' },
  },
  {
    alert: 'AcraEnclaveCertificateEndsNow',
    series: 'acra_enclave_certificate_expiry_timestamp_seconds{certificate="server"}',
    fires: `${2 * DAY}x20`,
    stays: `${4 * DAY}x20`,
    atMin: 1,
    labels: { certificate: 'server' },
  },
  {
    alert: 'AcraEnclaveCertificateEnds',
    series: 'acra_enclave_certificate_expiry_timestamp_seconds{certificate="server"}',
    fires: `${29 * DAY}x20`,
    stays: `${31 * DAY}x20`,
    atMin: 1,
    labels: { certificate: 'server' },
  },
  {
    alert: 'AcraEnclaveLeaseEnds',
    series: 'acra_enclave_lease_age_seconds',
    fires: '0+60x80',
    stays: '0+40x80',
    atMin: 62,
    notYetMin: 59,
  },
  {
    alert: 'AcraEnclaveKeysNotTaken',
    series: 'acra_enclave_kept_keys_in_trouble',
    fires: '1x20',
    stays: '0x20',
    atMin: 6,
    notYetMin: 4,
  },
  { alert: 'AcraEnclaveKeysRefused', series: 'acra_enclave_kept_key_set_refusals_total', ...grew },
  {
    alert: 'AcraEnclaveKeysOlder',
    series: 'acra_enclave_kept_key_set_generation{of="last_taken"}',
    fires: '7x20',
    stays: '6x20',
    beside: { 'acra_enclave_kept_key_set_generation{of="newest"}': '6x20' },
    atMin: 2,
    notYetMin: 0,
  },
  {
    alert: 'AcraEnclaveKeySetsDamaged',
    series: 'acra_enclave_kept_key_sets{state="damaged"}',
    fires: '1x20',
    stays: '0x20',
    atMin: 6,
    notYetMin: 4,
    labels: { state: 'damaged' },
  },
  {
    alert: 'AcraEnclaveKeysAuditBroken',
    series: 'acra_enclave_kept_keys_audit_broken',
    fires: '1x20',
    stays: '0x20',
    atMin: 6,
    notYetMin: 4,
  },
  {
    alert: 'AcraEnclaveKeyOperationsRefused',
    series: 'acra_enclave_key_operations_total{operation="ceremony",outcome="refused"}',
    ...grew,
    labels: { operation: 'ceremony' },
  },
  {
    alert: 'AcraEnclaveMemoryLow',
    series: 'acra_enclave_machine_available_memory_bytes',
    fires: '100000000x20',
    stays: '200000000x20',
    atMin: 6,
    notYetMin: 4,
  },
  {
    alert: 'AcraEnclaveHostProxyMemory',
    series: 'acra_enclave_host_proxy_resident_memory_bytes',
    fires: '1200000000x20',
    stays: '300000000x20',
    atMin: 11,
    notYetMin: 9,
  },
  {
    alert: 'AcraEnclaveHostDescriptors',
    series: 'acra_enclave_host_proxy_open_descriptors',
    fires: '8100x20',
    stays: '7900x20',
    beside: { acra_enclave_host_proxy_descriptor_limit: '10000x20' },
    atMin: 6,
    notYetMin: 4,
  },
  {
    alert: 'AcraEnclaveSupervisorDescriptors',
    series: 'acra_enclave_supervisor_open_descriptors',
    fires: '8100x20',
    stays: '7900x20',
    beside: { acra_enclave_supervisor_descriptor_limit: '10000x20' },
    atMin: 6,
    notYetMin: 4,
  },
  {
    alert: 'AcraEnclaveClockBehind',
    series: 'acra_enclave_clock_drift_seconds',
    fires: '1.5x20',
    stays: '-1.5x20',
    atMin: 6,
    notYetMin: 4,
  },
  {
    alert: 'AcraEnclaveClockAhead',
    series: 'acra_enclave_clock_drift_seconds',
    fires: '-1.5x20',
    stays: '1.5x20',
    atMin: 6,
    notYetMin: 4,
  },
  {
    alert: 'AcraEnclaveRelayResets',
    series: 'acra_enclave_relay_resets_total{side="parent",route="kms",error="econnreset",stage="connect"}',
    fires: '0+10x20',
    stays: '0+4x20',
    atMin: 12,
    labels: { side: 'parent', route: 'kms', error: 'econnreset' },
  },
  {
    alert: 'AcraEnclaveUpstreamUnreachable',
    series: 'acra_enclave_relay_connections_total{side="parent",route="database",outcome="connect_failed"}',
    fires: '0+2x20',
    stays: '0 5x20',
    atMin: 12,
    labels: { side: 'parent', route: 'database' },
  },
  { alert: 'AcraEnclaveLogsDropped', series: 'acra_enclave_log_records_total{outcome="dropped"}', ...grew },
  { alert: 'AcraEnclaveLogsUnwritten', series: 'acra_enclave_log_write_failures_total', ...grew },
  { alert: 'AcraEnclaveProgramLinesLost', series: 'acra_enclave_program_lost_lines_total{program="web"}', ...grew },
];
