/** What happens to a fleet under load. Each event puts things right again, as an operator or AWS would, so that the next finds all hosts serving. */
import { setTimeout as sleep } from 'node:timers/promises';
import { DRAIN_SECONDS, type Fleet } from './fleet.ts';
import type { FleetHost } from './host.ts';
import { copyWithOtherMeasurements } from './upgrade.ts';

interface Scene {
  readonly fleet: Fleet;
  readonly signal: AbortSignal;
  /** A moment that the report tells, with its time. */
  readonly note: (what: string) => void;
}

export interface FleetEvent {
  readonly name: string;
  /** For the table. */
  readonly what: string;
  /** Resolves when all hosts are in the balancer's rotation again. */
  readonly run: (scene: Scene) => Promise<void>;
}

const QUIET_MS = 10_000;
/** While what is away is away, beyond what the balancer needs to see it. */
const AWAY_MS = 10_000;
const SLOW_MS = 20_000;
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

async function untilIn({ fleet, signal }: Scene, host: FleetHost): Promise<void> {
  await fleet.balancer.untilStatus(fleet.serverOf(host), 'UP', signal);
}

async function untilOut({ fleet, signal }: Scene, host: FleetHost): Promise<void> {
  await fleet.balancer.untilStatus(fleet.serverOf(host), 'DOWN', signal);
}

async function noteOut(scene: Scene, host: FleetHost): Promise<void> {
  await untilOut(scene, host);
  scene.note('out of rotation');
}

async function noteServing(scene: Scene, host: FleetHost): Promise<void> {
  await host.untilServing(scene.signal);
  scene.note('serves again');
}

async function noteIn(scene: Scene, host: FleetHost): Promise<void> {
  await untilIn(scene, host);
  scene.note('in rotation');
}

const wait = ({ signal }: Scene, ms: number): Promise<void> => sleep(ms, undefined, { signal });

/** As the life-cycle hook does (deploy/cdk/instance/lifecycle.sh): no new sessions, then time for those that there are, then the stop. */
async function drain(scene: Scene, host: FleetHost): Promise<void> {
  await scene.fleet.setState(host, 'drain');
  await wait(scene, 1_000 * DRAIN_SECONDS);
  await host.stop();
}

/** An instance that is new has passed no check yet. */
async function replace(scene: Scene, host: FleetHost, enclaveFolder: string): Promise<void> {
  host.start(enclaveFolder);
  await host.untilServing(scene.signal);
  await scene.fleet.setState(host, 'ready');
  await untilIn(scene, host);
}

async function goOver(scene: Scene, host: FleetHost, enclaveFolder: string): Promise<void> {
  await drain(scene, host);
  await replace(scene, host, enclaveFolder);
  scene.note(`${host.name} is over`);
}

/** It is out of rotation, stays away for a while, and is as it was again. */
async function away(scene: Scene, host: FleetHost, back: { readonly by: () => void; readonly told: string }) {
  await noteOut(scene, host);
  await wait(scene, AWAY_MS);
  back.by();
  scene.note(back.told);
}

export const EVENTS: readonly FleetEvent[] = [
  { name: 'nothing', what: 'nothing', run: (scene) => wait(scene, QUIET_MS) },
  {
    name: 'engine-killed',
    what: 'acra-server of one host is killed',
    run: async (scene) => {
      (await busiest(scene.fleet)).killEngine();
      await wait(scene, QUIET_MS);
    },
  },
  {
    name: 'enclave-killed',
    what: 'the enclave of one host is killed',
    run: async (scene) => {
      const host = await busiest(scene.fleet);
      host.killEnclave();
      await host.untilNotServing(scene.signal);
      await noteServing(scene, host);
      await wait(scene, QUIET_MS);
      await untilIn(scene, host);
    },
  },
  {
    name: 'daemon-killed',
    what: '`acra-enclave run` of one host is killed',
    run: async (scene) => {
      const host = await busiest(scene.fleet);
      host.killDaemon();
      await noteOut(scene, host);
      await noteServing(scene, host);
      await noteIn(scene, host);
    },
  },
  {
    name: 'host-killed',
    what: 'all processes of one host are killed; another takes its place',
    run: async (scene) => {
      const host = await busiest(scene.fleet);
      await host.kill();
      await noteOut(scene, host);
      await replace(scene, host, scene.fleet.enclaveFolder);
      scene.note('in rotation');
    },
  },
  {
    name: 'network-cut',
    what: 'the network of one host is cut, without a word to anybody, and comes back',
    run: async (scene) => {
      const host = await busiest(scene.fleet);
      host.network.cut();
      await away(scene, host, { by: () => host.network.restore(), told: 'restored' });
      await noteIn(scene, host);
    },
  },
  {
    name: 'network-one-way',
    what: 'one host hears everybody, and nobody hears it; then its network is as before',
    run: async (scene) => {
      const host = await busiest(scene.fleet);
      host.network.mute();
      await away(scene, host, { by: () => host.network.unhindered(), told: 'heard again' });
      await noteIn(scene, host);
    },
  },
  {
    name: 'network-slow',
    what: 'what one host sends waits, and is lost where the queue is full',
    run: async (scene) => {
      const host = await busiest(scene.fleet);
      host.network.slow();
      await wait(scene, SLOW_MS);
      host.network.unhindered();
      scene.note('as before');
      await untilIn(scene, host);
    },
  },
  {
    name: 'host-frozen',
    what: '`acra-enclave run` of one host stands still: its kernel takes connections, nobody answers; then it goes on',
    run: async (scene) => {
      const host = await busiest(scene.fleet);
      host.freeze();
      await away(scene, host, { by: () => host.thaw(), told: 'goes on' });
      await noteServing(scene, host);
      await noteIn(scene, host);
    },
  },
  {
    name: 'balancer-restarted',
    what: 'the balancer is started anew',
    run: async (scene) => {
      await scene.fleet.balancer.restart(scene.signal);
      scene.note('up again');
      await wait(scene, QUIET_MS);
    },
  },
  {
    name: 'kms-away',
    what: 'the enclave of one host is killed while KMS is away',
    run: async (scene) => {
      const { fleet, note } = scene;
      const host = await busiest(fleet);
      await fleet.endpoints.setState('kms/kms', 'maint');
      host.killEnclave();
      await noteOut(scene, host);
      await fleet.endpoints.setState('kms/kms', 'ready');
      note('KMS is back');
      await noteServing(scene, host);
      await noteIn(scene, host);
    },
  },
  {
    name: 'drain',
    what: 'one host is drained, stopped and replaced in order',
    run: async (scene) => {
      const host = await busiest(scene.fleet);
      await drain(scene, host);
      scene.note('stopped');
      await replace(scene, host, scene.fleet.enclaveFolder);
      scene.note('in rotation');
    },
  },
  {
    name: 'upgrade',
    what: 'all hosts go over to an image with other measurements, one after the other',
    run: async (scene) => {
      const enclaveFolder = await copyWithOtherMeasurements(scene.fleet, 'next');
      for (const host of scene.fleet.hosts) await goOver(scene, host, enclaveFolder);
    },
  },
  {
    name: 'upgrade-disturbed',
    what: 'while hosts go over to another image, one that is to follow is killed, and then the enclave of one that is over',
    run: async (scene) => {
      const { fleet, signal, note } = scene;
      const enclaveFolder = await copyWithOtherMeasurements(fleet, 'after-next');
      const [first, second, ...others] = fleet.hosts;
      if (first === undefined || second === undefined) throw new Error('a fleet without hosts');
      await drain(scene, first);
      const killed = second.kill();
      await replace(scene, first, enclaveFolder);
      note(`${first.name} is over`);
      await killed;
      first.killEnclave();
      await replace(scene, second, enclaveFolder);
      note(`${second.name} is over`);
      await first.untilServing(signal);
      await untilIn(scene, first);
      for (const host of others) await goOver(scene, host, enclaveFolder);
    },
  },
  {
    name: 'database-failover',
    what: "the database's primary is killed; the standby is promoted and gets its name",
    run: async (scene) => {
      const { fleet, signal, note } = scene;
      fleet.databases.killPrimary();
      await wait(scene, DETECTION_MS);
      await fleet.databases.failOver();
      fleet.nameStandby();
      note('promoted and named');
      for (const host of fleet.hosts) await host.untilServing(signal);
      note('all serve again');
      for (const host of fleet.hosts) await untilIn(scene, host);
    },
  },
  {
    name: 'lease-ends',
    what: 'KMS stays away until the lease of every enclave has ended',
    run: async (scene) => {
      const { fleet, signal, note } = scene;
      await fleet.endpoints.setState('kms/kms', 'maint');
      for (const host of fleet.hosts) await untilOut(scene, host);
      note('all out of rotation');
      await fleet.endpoints.setState('kms/kms', 'ready');
      note('KMS is back');
      for (const host of fleet.hosts) await host.untilServing(signal);
      note('all serve again');
      for (const host of fleet.hosts) await untilIn(scene, host);
      note('all in rotation');
    },
  },
];
