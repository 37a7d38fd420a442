/**
 * What CloudWatch gets to know of a fleet: of host-proxy's metrics (docs/metrics.md) those that alarms and the dashboard need, for
 * CloudWatch asks money for each series. Counters come as what was added since the last scrape, and what a new series begins with does not come at
 * all (CloudWatch user guide, "Prometheus metric type conversion by the CloudWatch agent"): the first poison record of an identity, say. So alarms
 * stand on gauges, and for what a counter tells on the alerts of the daemon, which counts from the first number.
 */
export interface FleetMetric {
  /** As host-proxy serves it. */
  readonly name: string;
  /** Labels that are told apart, beside the sum of all. */
  readonly labels: readonly string[];
}

const of = (name: string, ...labels: string[]): FleetMetric => ({ name: `acra_enclave_${name}`, labels });

export const FLEET_METRICS: readonly FleetMetric[] = [
  of('ready'),
  of('alerts_active', 'alert'),
  of('alerts_active', 'severity'),
  of('alarms_total', 'concern'),
  of('machine_restarts_total'),
  of('ingress_shedding'),
  of('certificate_expiry_timestamp_seconds'),
  of('lease_age_seconds'),
  of('clock_drift_seconds'),
  of('guard_mode', 'mode'),
  of('guard_refusals_total', 'outcome'),
  of('guard_statements_total', 'verdict'),
  of('front_sessions'),
  of('front_refused_total', 'reason'),
  of('relay_connections_total', 'route', 'outcome'),
  of('relay_bytes_total', 'route'),
  of('kept_keys_in_trouble'),
  of('kept_key_set_refusals_total'),
  of('kept_keys_audit_broken'),
  of('log_records_total', 'outcome'),
  of('log_write_failures_total'),
  of('machine_available_memory_bytes'),
  of('host_proxy_resident_memory_bytes'),
];
