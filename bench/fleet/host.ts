/**
 * One parent instance of the fleet: `acra-enclave run` in a network namespace, kept running as its systemd unit would (deploy/acra-enclave.service:
 * Restart=on-failure, RestartSec). The daemon is the real one with its whole life cycle; in the place of QEMU stands a program that runs
 * a simulated enclave (machine/).
 */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { DaemonProcess } from '../../cli/demo/daemon-process.ts';
import { untilHostStatus, untilServing } from '../../cli/demo/host-status.ts';
import { simulatedFolders, writeSimulatedParent } from '../../cli/simulated/folders.ts';
import { ADMIN_PORT, HEALTH_PORT, INGRESS_PORT } from '../../deploy/cdk/parts/ports.ts';
import { systemClock } from '../../runtime/clock.ts';
import { kill } from '../kill.ts';
import { argumentsOf, commandOf, familyOf } from '../proc.ts';
import type { Machine } from './machine/simulated-machine.ts';
import type { HostNetwork } from './network.ts';

/** RestartSec of the unit. */
const RESTART_MS = 10_000;
/** Longer than the daemon's own. */
const STOP_GRACE_MS = 60_000;
const CID = 16;
const MACHINE = join(import.meta.dirname, 'machine');

export interface HostOptions {
  readonly name: string;
  /** Everything that it writes lies here; short, because unix sockets lie here too. */
  readonly root: string;
  readonly network: HostNetwork;
  /** Of the emulated security module, which the emulated KMS trusts. */
  readonly nsmFolder: string;
  readonly parent: { readonly roleArn: string; readonly instanceId: string };
  /** Of the load balancer, which says whose connections it brings. */
  readonly balancer: string;
  /** Sections of host-proxy.yaml: where database, KMS and IMDS are. */
  readonly outside: Readonly<Record<string, object>>;
  readonly environment: Readonly<Record<string, string>>;
}

export class FleetHost {
  readonly name: string;
  readonly network: HostNetwork;
  readonly #options: HostOptions;
  #daemon: DaemonProcess | undefined;
  #kept: Promise<void> = Promise.resolve();
  #off = new AbortController();

  constructor(options: HostOptions) {
    this.name = options.name;
    this.network = options.network;
    this.#options = options;
    for (const folder of ['logs', 'host']) mkdirSync(join(options.root, folder), { recursive: true, mode: 0o700 });
    const { nsmFolder } = simulatedFolders(this.#stateFolder);
    writeSimulatedParent(this.#stateFolder, options.parent);
    cpSync(options.nsmFolder, nsmFolder, { recursive: true });
  }

  /** As the unit is started at boot. @param enclaveFolder the measured one */
  start(enclaveFolder: string): void {
    this.#writeConfiguration(enclaveFolder);
    this.#off = new AbortController();
    this.#kept = this.#keep(this.#off.signal);
  }

  async untilServing(signal: AbortSignal): Promise<void> {
    await untilServing(this.#adminUrl, systemClock, signal);
  }

  /** For whoever has killed its enclave: the daemon hears of it a moment later. */
  async untilNotServing(signal: AbortSignal): Promise<void> {
    await untilHostStatus(this.#adminUrl, ({ ready }) => !ready, systemClock, signal);
  }

  /** `systemctl stop`: sessions end when they are idle, then the enclave does. */
  async stop(): Promise<void> {
    this.#off.abort();
    this.thaw();
    await this.#daemon?.stop(STOP_GRACE_MS);
    await this.#kept;
  }

  /** As its power is cut; nothing starts it again. */
  async kill(): Promise<void> {
    this.#off.abort();
    this.network.kill();
    await this.#kept;
  }

  killDaemon(): void {
    this.#daemon?.kill('SIGKILL');
  }

  /** Its kernel still takes connections, and nobody answers on them. */
  freeze(): void {
    this.#daemon?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#daemon?.kill('SIGCONT');
  }

  killEnclave(): void {
    const supervisor = this.#below().find((pid) => argumentsOf(pid).includes('supervisor')) ?? 0;
    for (const pid of familyOf(supervisor)) kill(pid, 'SIGKILL');
  }

  /** acra-server alone, or its stand-in. */
  killEngine(): void {
    const isEngine = (pid: number) => /acra-server( |$)|acra-server\/main\.ts/.test(commandOf(pid));
    const engines = this.#below().filter((pid) => isEngine(pid) && !argumentsOf(pid).includes('supervisor'));
    if (engines.length === 0) throw new Error(`${this.name} runs no acra-server`);
    for (const pid of engines) kill(pid, 'SIGKILL');
  }

  get #adminUrl(): string {
    return `http://${this.network.address}:${ADMIN_PORT}`;
  }

  get #stateFolder(): string {
    return join(this.#options.root, 'sim');
  }

  #below(): number[] {
    return familyOf(this.#daemon?.pid ?? 0).slice(1);
  }

  async #keep(off: AbortSignal): Promise<void> {
    const { root, network, environment } = this.#options;
    while (!off.aborted) {
      this.#daemon = new DaemonProcess({
        name: 'acra-enclave run',
        arguments: ['run', '--config', join(root, 'host-proxy.yaml')],
        logFile: join(root, 'logs', 'run.log'),
        environment: { ...environment, NODE: process.execPath },
        through: network.through,
      });
      const { code } = await this.#daemon.exited;
      if (code === 0) return;
      await sleep(RESTART_MS, undefined, { signal: off }).catch(() => undefined);
    }
  }

  #writeConfiguration(enclaveFolder: string): void {
    const { root, network, balancer, outside } = this.#options;
    const [image, vsockPath] = [join(root, 'machine.json'), join(this.#stateFolder, 'vm.vsock')];
    const machine: Machine = { enclaveFolder, stateFolder: this.#stateFolder, vsockPath };
    writeFileSync(image, JSON.stringify(machine));
    const at = (port: number) => `tcp://${network.address}:${port}`;
    const configuration = {
      version: 1,
      enclave: {
        transport: 'vsock-uds',
        cid: CID,
        path: vsockPath,
        run: {
          driver: 'qemu',
          image,
          program: join(MACHINE, 'simulated-machine.sh'),
          vhostDeviceVsock: join(MACHINE, 'vhost-device-vsock.sh'),
          consoleFile: join(root, 'logs', 'console.log'),
        },
      },
      ingress: { listen: at(INGRESS_PORT), proxyProtocol: { from: [`${balancer}/32`] } },
      // Of the host's own network here, because the benchmark looks from outside of it.
      admin: { listen: at(ADMIN_PORT) },
      health: { listen: at(HEALTH_PORT) },
      runtimeFolder: join(root, 'host'),
      ...outside,
    };
    writeFileSync(join(root, 'host-proxy.yaml'), stringify(configuration));
  }
}
