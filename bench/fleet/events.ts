/** What happens to a fleet under load. Each event puts things right again, as an operator or AWS would, so that the next finds all hosts serving. */
import { setTimeout as sleep } from 'node:timers/promises';
import { DRAIN_SECONDS, type Fleet } from './fleet.ts';
import type { FleetHost } from './host.ts';
import { copyWithOtherMeasurements } from './upgrade.ts';

export interface FleetEvent {
  readonly name: string;
  /** For the table. */
  readonly what: string;
  /** Resolves when all hosts are in the balancer's rotation again. @param note a moment that the report tells, with its time */
  readonly run: (fleet: Fleet, signal: AbortSignal, note: (what: string) => void) => Promise<void>;
}

const QUIET_MS = 10_000;
/** While what is away is away, beyond what the balancer needs to see it. */
const AWAY_MS = 10_000;
/** RDS detects and promotes within 60 to 120 seconds, Aurora in less than 60; here only the promotion itself takes time. */
const DETECTION_MS = 5_000;

/** With the most sessions: what happens to it happens to most clients. */
async function busiest({ hosts, balancer, serverOf }: Fleet): Promise<FleetHost> {
  const all = await Promise.all(
    hosts.map(async (host) => ({ host, sessions: await balancer.sessionsOf(serverOf(host)) })),
  );
  const [first] = all.toSorted((a, b) => b.sessions - a.sessions);
  if (first === undefined) throw new Error('a fleet without hosts');
  return first.host;
}

async function untilIn(fleet: Fleet, host: FleetHost, signal: AbortSignal): Promise<void> {
  await fleet.balancer.untilStatus(fleet.serverOf(host), 'UP', signal);
}

async function untilOut(fleet: Fleet, host: FleetHost, signal: AbortSignal): Promise<void> {
  await fleet.balancer.untilStatus(fleet.serverOf(host), 'DOWN', signal);
}

/** As the life-cycle hook does (deploy/cdk/instance/lifecycle.sh): no new sessions, then time for those that there are, then the stop. */
async function drain(fleet: Fleet, host: FleetHost, signal: AbortSignal): Promise<void> {
  await fleet.setState(host, 'drain');
  await sleep(1_000 * DRAIN_SECONDS, undefined, { signal });
  await host.stop();
}

/** An instance that is new has passed no check yet. */
async function replace(fleet: Fleet, host: FleetHost, enclaveFolder: string, signal: AbortSignal): Promise<void> {
  host.start(enclaveFolder);
  await host.untilServing(signal);
  await fleet.setState(host, 'ready');
  await untilIn(fleet, host, signal);
}

export const EVENTS: readonly FleetEvent[] = [
  { name: 'nothing', what: 'nothing', run: (_, signal) => sleep(QUIET_MS, undefined, { signal }) },
  {
    name: 'engine-killed',
    what: 'acra-server of one host is killed',
    run: async (fleet, signal) => {
      (await busiest(fleet)).killEngine();
      await sleep(QUIET_MS, undefined, { signal });
    },
  },
  {
    name: 'enclave-killed',
    what: 'the enclave of one host is killed',
    run: async (fleet, signal, note) => {
      const host = await busiest(fleet);
      host.killEnclave();
      await host.untilNotServing(signal);
      await host.untilServing(signal);
      note('serves again');
      await sleep(QUIET_MS, undefined, { signal });
      await untilIn(fleet, host, signal);
    },
  },
  {
    name: 'daemon-killed',
    what: '`acra-enclave run` of one host is killed',
    run: async (fleet, signal, note) => {
      const host = await busiest(fleet);
      host.killDaemon();
      await untilOut(fleet, host, signal);
      note('out of rotation');
      await host.untilServing(signal);
      note('serves again');
      await untilIn(fleet, host, signal);
      note('in rotation');
    },
  },
  {
    name: 'host-killed',
    what: 'all processes of one host are killed; another takes its place',
    run: async (fleet, signal, note) => {
      const host = await busiest(fleet);
      await host.kill();
      await untilOut(fleet, host, signal);
      note('out of rotation');
      await replace(fleet, host, fleet.enclaveFolder, signal);
      note('in rotation');
    },
  },
  {
    name: 'network-cut',
    what: 'the network of one host is cut, without a word to anybody, and comes back',
    run: async (fleet, signal, note) => {
      const host = await busiest(fleet);
      host.network.cut();
      await untilOut(fleet, host, signal);
      note('out of rotation');
      await sleep(AWAY_MS, undefined, { signal });
      host.network.restore();
      note('restored');
      await untilIn(fleet, host, signal);
      note('in rotation');
    },
  },
  {
    name: 'kms-away',
    what: 'the enclave of one host is killed while KMS is away',
    run: async (fleet, signal, note) => {
      const host = await busiest(fleet);
      await fleet.endpoints.setState('kms/kms', 'maint');
      host.killEnclave();
      await untilOut(fleet, host, signal);
      note('out of rotation');
      await fleet.endpoints.setState('kms/kms', 'ready');
      note('KMS is back');
      await host.untilServing(signal);
      note('serves again');
      await untilIn(fleet, host, signal);
      note('in rotation');
    },
  },
  {
    name: 'drain',
    what: 'one host is drained, stopped and replaced in order',
    run: async (fleet, signal, note) => {
      const host = await busiest(fleet);
      await drain(fleet, host, signal);
      note('stopped');
      await replace(fleet, host, fleet.enclaveFolder, signal);
      note('in rotation');
    },
  },
  {
    name: 'upgrade',
    what: 'all hosts go over to an image with other measurements, one after the other',
    run: async (fleet, signal, note) => {
      const enclaveFolder = await copyWithOtherMeasurements(fleet);
      for (const host of fleet.hosts) {
        await drain(fleet, host, signal);
        await replace(fleet, host, enclaveFolder, signal);
        note(`${host.name} is over`);
      }
    },
  },
  {
    name: 'database-failover',
    what: "the database's primary is killed; the standby is promoted and gets its name",
    run: async (fleet, signal, note) => {
      fleet.databases.killPrimary();
      await sleep(DETECTION_MS, undefined, { signal });
      await fleet.databases.failOver();
      fleet.nameStandby();
      note('promoted and named');
      for (const host of fleet.hosts) await host.untilServing(signal);
      note('all serve again');
      for (const host of fleet.hosts) await untilIn(fleet, host, signal);
    },
  },
  {
    name: 'lease-ends',
    what: 'KMS stays away until the lease of every enclave has ended',
    run: async (fleet, signal, note) => {
      await fleet.endpoints.setState('kms/kms', 'maint');
      for (const host of fleet.hosts) await untilOut(fleet, host, signal);
      note('all out of rotation');
      await fleet.endpoints.setState('kms/kms', 'ready');
      note('KMS is back');
      for (const host of fleet.hosts) await host.untilServing(signal);
      note('all serve again');
      for (const host of fleet.hosts) await untilIn(fleet, host, signal);
      note('all in rotation');
    },
  },
];
