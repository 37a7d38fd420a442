/** Files of a parent instance that the machine image holds, and those that its launch template writes, for they name what is made here. */
import { readFileSync } from 'node:fs';
import { stringify } from 'yaml';
import type { KnownRegion } from '../config/read.ts';
import { FLEET_METRICS } from './fleet-metrics.ts';
import { FLEET_DIMENSION, METRIC_NAMESPACE, type Names } from './names.ts';
import { ADMIN_PORT, HEALTH_PORT, HTTPS_PORT, INGRESS_PORT } from './ports.ts';

export interface InstanceFile {
  readonly path: string;
  readonly mode: '0644' | '0755';
  readonly text: string;
}

export const EIF_PATH = '/var/lib/acra-enclave/acra-enclave.eif';
const LOG_FILE = '/var/log/acra-enclave/host-proxy.log';
export const AGENT_CONFIG = '/etc/acra-enclave/cloudwatch-agent.json';
/** In the place of the instance's own address, which only it knows. */
export const OWN_ADDRESS = '@OWN_ADDRESS@';
export const LAUNCH_HOOK = 'enclave-serves';
export const TERMINATE_HOOK = 'sessions-end';

/** Beside draining, for the enclave to be asked and to end, and for systemd to see it. */
export const STOP_MARGIN_SECONDS = 90;
const SCRAPE_SECONDS = 60;

const ours = (name: string) => readFileSync(new URL(`../instance/${name}`, import.meta.url), 'utf8');
const installed = (name: string) => readFileSync(new URL(`../../systemd/${name}`, import.meta.url), 'utf8');

/** One for all metrics with the same labels: a component of Image Builder has 16,000 characters at most. */
function declarations(): readonly object[] {
  const byLabels = Map.groupBy(FLEET_METRICS, ({ labels }) => labels.join());
  return [...byLabels.values()].map((metrics) => {
    const labels = metrics[0]?.labels ?? [];
    return {
      source_labels: ['job'],
      label_matcher: '^acra-enclave$',
      dimensions: [[FLEET_DIMENSION], ...(labels.length === 0 ? [] : [[FLEET_DIMENSION, ...labels]])],
      metric_selectors: metrics.map(({ name }) => `^${name}$`),
    };
  });
}

/** CloudWatch's agent reads Prometheus' format from the loopback port and writes it to CloudWatch Logs as metrics (EMF). */
function agentConfig(names: Names, region: string): object {
  return {
    agent: { region },
    logs: {
      metrics_collected: {
        prometheus: {
          log_group_name: names.logGroups.metrics,
          prometheus_config_path: '/etc/acra-enclave/prometheus.yaml',
          emf_processor: {
            metric_declaration_dedup: true,
            metric_namespace: METRIC_NAMESPACE,
            metric_declaration: declarations(),
          },
        },
      },
      logs_collected: {
        files: {
          collect_list: [
            { file_path: LOG_FILE, log_group_name: names.logGroups.hostProxy, log_stream_name: '{instance_id}' },
          ],
        },
      },
    },
  };
}

function scrapeConfig(fleet: string): object {
  return {
    global: { scrape_interval: `${SCRAPE_SECONDS}s` },
    scrape_configs: [
      {
        job_name: 'acra-enclave',
        static_configs: [{ targets: [`127.0.0.1:${ADMIN_PORT}`], labels: { [FLEET_DIMENSION]: fleet } }],
      },
    ],
  };
}

function allocator({ fleet }: KnownRegion): string {
  return stringify({ memory_mib: fleet.enclaveMemoryMiB, cpu_count: fleet.enclaveCpus });
}

/** What no instance has of its own. */
export function imageFiles(names: Names, region: KnownRegion): readonly InstanceFile[] {
  const stopSeconds = region.fleet.drainSeconds + STOP_MARGIN_SECONDS;
  const dropIn = `[Service]\nTimeoutStopSec=${stopSeconds}s\n`;
  const unit = (name: string): InstanceFile => ({
    path: `/etc/systemd/system/${name}`,
    mode: '0644',
    text: ours(name),
  });
  return [
    { path: '/etc/nitro_enclaves/allocator.yaml', mode: '0644', text: allocator(region) },
    { path: '/usr/lib/acra-enclave-fleet/lifecycle.sh', mode: '0755', text: ours('lifecycle.sh') },
    unit('acra-enclave-launched.service'),
    unit('acra-enclave-drain.service'),
    { path: '/etc/systemd/system/acra-enclave.service.d/drain.conf', mode: '0644', text: dropIn },
    { path: '/etc/logrotate.d/acra-enclave', mode: '0644', text: installed('logrotate.conf') },
    { path: '/etc/acra-enclave/prometheus.yaml', mode: '0644', text: stringify(scrapeConfig(names.fleet)) },
    {
      path: AGENT_CONFIG,
      mode: '0644',
      text: `${JSON.stringify(agentConfig(names, region.region))}\n`,
    },
  ];
}

export interface HostFacts {
  readonly region: KnownRegion;
  /** The load balancer's own networks. */
  readonly balancers: readonly string[];
  readonly databaseHost: string;
  readonly kmsHost: string;
}

const MS = 1_000;

/** host-proxy.yaml of an instance, but for OWN_ADDRESS. */
export function hostProxyConfig({ region, balancers, databaseHost, kmsHost }: HostFacts): object {
  const { database, fleet } = region;
  const drainMs = fleet.drainSeconds * MS;
  return {
    version: 1,
    enclave: {
      transport: 'vsock',
      cid: 16,
      run: {
        driver: 'nitro-cli',
        image: EIF_PATH,
        cpuCount: fleet.enclaveCpus,
        memoryMiB: fleet.enclaveMemoryMiB,
        stopGraceMs: drainMs + (STOP_MARGIN_SECONDS * MS) / 2,
      },
    },
    ingress: {
      listen: `tcp://${OWN_ADDRESS}:${INGRESS_PORT}`,
      proxyProtocol: { from: balancers },
    },
    database: { connect: `tcp://${databaseHost}:${database.port}` },
    kms: { connect: `tcp://${kmsHost}:${HTTPS_PORT}` },
    admin: { listen: `tcp://127.0.0.1:${ADMIN_PORT}` },
    health: { listen: `tcp://${OWN_ADDRESS}:${HEALTH_PORT}` },
    logs: { file: LOG_FILE },
    drainMs,
  };
}
