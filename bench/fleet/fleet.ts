/**
 * N parent instances behind a load balancer, with what they need outside of them:
 *
 *   clients ─▶ HAProxy (NLB) ─▶ host 1 … N, each in a network namespace ─▶ HAProxy (endpoints) ─▶ PostgreSQL, KMS, instance metadata
 *
 * The balancer is set as deploy/cdk sets the NLB: the same checks, the same header, no second try of a connection, and sessions stay when a check
 * fails. The database has a name, which the hosts resolve; who fails over changes what it stands for.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AcraProgram } from '../../acra/obtain/program.ts';
import { Stack } from '../../cli/demo/stack.ts';
import { HEALTH_PORT, INGRESS_PORT } from '../../deploy/cdk/parts/ports.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import { Databases, PRIMARY } from './databases.ts';
import { HaProxy } from './haproxy.ts';
import { FleetHost } from './host.ts';
import { FleetNetwork, type Service } from './network.ts';

const DATABASE_NAME = 'database.fleet.internal';
const [KMS_PORT, IMDS_PORT] = [8_443, 8_080];
/** AWS's default for checks by HTTP of an NLB. */
const CHECK_TIMEOUT_SECONDS = 6;
/** Of an NLB without traffic. */
const IDLE_SECONDS = 350;

/** Short, so that its end can be waited for; longer than KMS is away in any other event. */
const LEASE = { renewEveryMs: 5_000, maxAgeMs: 45_000 };
export const DRAIN_SECONDS = 10;

export interface FleetSettings {
  readonly hosts: number;
  /** Between checks of the balancer, and how many decide. */
  readonly checkSeconds: number;
  readonly checks: number;
}

export interface Fleet {
  readonly stack: Stack;
  readonly hosts: readonly FleetHost[];
  readonly databases: Databases;
  readonly balancer: HaProxy;
  readonly endpoints: HaProxy;
  /** Where clients connect. */
  readonly address: TcpEndpoint;
  readonly enclaveFolder: string;
  /** Measured folders of all images that the key opens for. */
  readonly images: string[];
  /** Of the balancer. */
  serverOf(host: FleetHost): string;
  /** `drain`: the balancer sends it no new sessions, whatever its checks say. */
  setState(host: FleetHost, state: 'ready' | 'drain'): Promise<void>;
  /** From now on the database's name stands for the standby. */
  nameStandby(): void;
}

const DEFAULTS = [
  'defaults',
  '  mode tcp',
  '  timeout connect 5s',
  `  timeout client ${IDLE_SECONDS}s`,
  `  timeout server ${IDLE_SECONDS}s`,
  '  retries 0',
];

function listen(name: string, address: string, port: number, to: { readonly host: string; readonly port: number }) {
  return [`listen ${name}`, `  bind ${address}:${port}`, `  server ${name} ${to.host}:${to.port}`];
}

function endpointSections(network: FleetNetwork, stack: Stack, { primary, standby }: Databases): string[] {
  const { kms, imds } = stack.parts.cloud;
  const at = (service: Service) => network.addressOf(service);
  return [
    ...DEFAULTS,
    ...listen('kms', at('services'), KMS_PORT, kms),
    ...listen('imds', at('services'), IMDS_PORT, imds),
    ...listen('primary', at('primary'), INGRESS_PORT, primary),
    ...listen('standby', at('standby'), INGRESS_PORT, standby),
  ];
}

function balancerSections(network: FleetNetwork, hosts: readonly FleetHost[], options: FleetSettings): string[] {
  const { checkSeconds, checks } = options;
  const address = network.addressOf('balancer');
  const server = [`inter ${checkSeconds}s`, `fall ${checks}`, `rise ${checks}`, `check port ${HEALTH_PORT}`];
  const headers = `check-send-proxy send-proxy-v2 source ${address}`;
  return [
    ...DEFAULTS,
    'listen balancer',
    `  bind ${address}:${INGRESS_PORT}`,
    '  balance roundrobin',
    '  option httpchk GET /readyz',
    '  http-check expect status 200',
    `  timeout check ${Math.min(CHECK_TIMEOUT_SECONDS, checkSeconds)}s`,
    `  default-server ${server.join(' ')} ${headers}`,
    // An NLB fails open: where no target is healthy, all of them get new sessions.
    '  option allbackups',
    ...hosts.flatMap(({ name, network: { address: host } }) => [
      `  server ${name} ${host}:${INGRESS_PORT}`,
      `  server ${name}-open ${host}:${INGRESS_PORT} backup no-check`,
    ]),
  ];
}

function createHost(name: string, network: FleetNetwork, stack: Stack): FleetHost {
  const { root, environment } = stack.options;
  const { cloud } = stack.parts;
  const services = network.addressOf('services');
  const host = network.addHost();
  host.resolve(DATABASE_NAME, network.addressOf('primary'));
  return new FleetHost({
    name,
    root: join(root, name),
    network: host,
    nsmFolder: join(root, 'sim', 'nsm'),
    parent: { roleArn: cloud.roleArn, instanceId: cloud.imds.instanceId },
    balancer: network.addressOf('balancer'),
    outside: {
      database: { connect: `tcp://${DATABASE_NAME}:${INGRESS_PORT}` },
      kms: { connect: `tcp://${services}:${KMS_PORT}` },
      imds: { connect: `tcp://${services}:${IMDS_PORT}` },
    },
    environment: environment ?? {},
  });
}

/** @param signal ends the start, or what was started. @param stops what gives all of it back */
export async function startFleet(
  acraProgram: AcraProgram,
  options: FleetSettings,
  signal: AbortSignal,
  stops: AsyncDisposableStack,
): Promise<Fleet> {
  const root = mkdtempSync(join(tmpdir(), 'af-'));
  stops.defer(() => rmSync(root, { recursive: true, force: true, maxRetries: 3 }));
  const network = FleetNetwork.create(stops);
  const enclaveSettings = { lease: LEASE, restart: { drainMs: 1_000 * DRAIN_SECONDS } };
  const stack = await Stack.prepare({ root, acraProgram, enclaveSettings, databaseServer: PRIMARY, signal });
  stops.defer(() => stack.stop());
  await stack.allowMeasuredEnclave();
  const databases = await Databases.start(stack, signal, stops);
  const endpoints = await HaProxy.start(root, 'endpoints', endpointSections(network, stack, databases), signal, stops);
  const hosts = Array.from({ length: options.hosts }, (_, at) => createHost(`h${at + 1}`, network, stack));
  for (const host of hosts) {
    host.start(stack.enclaveFolder);
    stops.defer(() => host.stop());
  }
  for (const host of hosts) await host.untilServing(signal);
  const balancer = await HaProxy.start(root, 'balancer', balancerSections(network, hosts, options), signal, stops);
  return {
    stack,
    hosts,
    databases,
    balancer,
    endpoints,
    address: { kind: 'tcp', host: network.addressOf('balancer'), port: INGRESS_PORT },
    enclaveFolder: stack.enclaveFolder,
    images: [stack.enclaveFolder],
    serverOf: ({ name }) => `balancer/${name}`,
    setState: async ({ name }, state) => {
      for (const server of [name, `${name}-open`]) await balancer.setState(`balancer/${server}`, state);
    },
    nameStandby: () => {
      for (const host of hosts) host.network.resolve(DATABASE_NAME, network.addressOf('standby'));
    },
  };
}
