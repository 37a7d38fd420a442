/**
 * The hosts' network: a bridge of this machine with the addresses of what all hosts reach, and each host in a network namespace of its own,
 * so that it can be cut off as a cable would, and what runs in it be found and killed as a whole. ip-netns(8), veth(4); the addresses are
 * those that RFC 2544 (C.2.2) keeps for benchmarks.
 *
 * Names hold the pid of whoever made them: what a run that was killed left behind is removed by the next one.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kill } from '../kill.ts';

const NAME = /^acra-fleet-(\d+)-\d+$/;
/** ip-netns(8): what lies here is seen under /etc by programs in the namespace. */
const CONFIGURATION = '/etc/netns';
const FIRST_HOST = 101;
/** Of a last byte. */
const NETWORKS = 256;

const ip = (...words: readonly string[]): string => execFileSync('ip', words, { encoding: 'utf8' });

/** tc-tbf(8): a packet that is longer than the burst is dropped, and its sender is not told. */
const NOTHING = ['rate', '8bit', 'burst', '10b', 'limit', '10b'];
/** About what a line gives that is full: every packet waits, and some are lost. */
const LITTLE = ['rate', '512kbit', 'burst', '4kb', 'latency', '500ms'];

function namespaces(): string[] {
  return ip('netns', 'list')
    .split('\n')
    .flatMap((line) => line.split(' ')[0] || []);
}

function pidsIn(namespace: string): number[] {
  return ip('netns', 'pids', namespace).split('\n').filter(Boolean).map(Number);
}

/** SIGKILL to all that runs in it, until nothing does: children may be on their way. */
function killAll(namespace: string): void {
  for (let pids = pidsIn(namespace); pids.length > 0; pids = pidsIn(namespace)) {
    for (const pid of pids) kill(pid, 'SIGKILL');
  }
}

function removeNamespace(namespace: string): void {
  killAll(namespace);
  ip('netns', 'delete', namespace);
  rmSync(join(CONFIGURATION, namespace), { recursive: true, force: true });
}

const bridgeOf = (pid: number | string) => `acrafl${pid}`;

function removeBridge(bridge: string): void {
  if (existsSync(`/sys/class/net/${bridge}`)) ip('link', 'delete', bridge);
}

/** Of runs that could not do it themselves. */
function sweep(): void {
  for (const namespace of namespaces()) {
    const [, pid] = NAME.exec(namespace) ?? [];
    if (pid === undefined || existsSync(`/proc/${pid}`)) continue;
    removeNamespace(namespace);
    removeBridge(bridgeOf(pid));
  }
}

/** What all hosts reach, by the last byte of its address. */
const SERVICES = { services: 1, balancer: 10, primary: 11, standby: 12 } as const;
export type Service = keyof typeof SERVICES;

export class HostNetwork {
  readonly namespace: string;
  readonly address: string;
  readonly #device: string;

  constructor(namespace: string, address: string, device: string) {
    this.namespace = namespace;
    this.address = address;
    this.#device = device;
  }

  /** What becomes a program in it. */
  get through(): readonly string[] {
    return ['ip', 'netns', 'exec', this.namespace];
  }

  /** As if its cable were drawn: nobody hears that it is gone. */
  cut(): void {
    ip('link', 'set', this.#device, 'down');
  }

  restore(): void {
    ip('link', 'set', this.#device, 'up');
  }

  /** It hears everybody, and nobody hears it. */
  mute(): void {
    this.#send(NOTHING);
  }

  /** What it says waits in a queue, and is lost where that is full. */
  slow(): void {
    this.#send(LITTLE);
  }

  unhindered(): void {
    ip('netns', 'exec', this.namespace, 'tc', 'qdisc', 'delete', 'dev', 'eth0', 'root');
  }

  #send(limits: readonly string[]): void {
    ip('netns', 'exec', this.namespace, 'tc', 'qdisc', 'add', 'dev', 'eth0', 'root', 'tbf', ...limits);
  }

  /** As if its power were cut, but that its kernel still answers. */
  kill(): void {
    killAll(this.namespace);
  }

  /** From now on the name stands for this address there: written in place, because the file itself is mounted. */
  resolve(name: string, address: string): void {
    writeFileSync(join(CONFIGURATION, this.namespace, 'hosts'), `127.0.0.1 localhost\n${address} ${name}\n`);
  }
}

export class FleetNetwork {
  readonly #bridge = bridgeOf(process.pid);
  readonly #prefix = `198.18.${process.pid % NETWORKS}`;
  readonly #namespaces: string[] = [];

  /** Needs root. @param stops what gives it back */
  static create(stops: AsyncDisposableStack): FleetNetwork {
    sweep();
    const network = new FleetNetwork();
    stops.defer(() => network.#remove());
    ip('link', 'add', network.#bridge, 'type', 'bridge');
    for (const service of Object.keys(SERVICES) as Service[]) {
      ip('address', 'add', `${network.addressOf(service)}/24`, 'dev', network.#bridge);
    }
    ip('link', 'set', network.#bridge, 'up');
    return network;
  }

  addressOf(service: Service): string {
    return `${this.#prefix}.${SERVICES[service]}`;
  }

  addHost(): HostNetwork {
    const number = this.#namespaces.length + 1;
    const namespace = `acra-fleet-${process.pid}-${number}`;
    const device = `${this.#bridge}-${number}`;
    const address = `${this.#prefix}.${FIRST_HOST + number - 1}`;
    mkdirSync(join(CONFIGURATION, namespace), { recursive: true });
    this.#namespaces.push(namespace);
    ip('netns', 'add', namespace);
    ip('link', 'add', device, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
    ip('link', 'set', device, 'master', this.#bridge, 'up');
    ip('-n', namespace, 'link', 'set', 'lo', 'up');
    ip('-n', namespace, 'address', 'add', `${address}/24`, 'dev', 'eth0');
    ip('-n', namespace, 'link', 'set', 'eth0', 'up');
    return new HostNetwork(namespace, address, device);
  }

  #remove(): void {
    const there = new Set(namespaces());
    for (const namespace of this.#namespaces) {
      if (there.has(namespace)) removeNamespace(namespace);
      rmSync(join(CONFIGURATION, namespace), { recursive: true, force: true });
    }
    removeBridge(this.#bridge);
  }
}
