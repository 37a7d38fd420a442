/** One measured image on QEMU's nitro-enclave machine, started by the command of an operator: `acra-enclave run`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { HostStatus } from '../../host-proxy/operator/host-status.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import { parseEndpoint } from '../../wire/endpoint.ts';
import { CliError } from '../errors.ts';
import { progress } from '../output.ts';
import { machineSection } from '../qemu/machine-section.ts';
import type { VmTools } from '../qemu/vm-tools.ts';
import { type DaemonExit, DaemonProcess } from './daemon-process.ts';
import { untilHostStatus, untilServing } from './host-status.ts';
import type { DemoRunner } from './place.ts';

/** Longer than an enclave is given to end in order. */
const STOP_GRACE_MS = 60_000;

export interface EnclaveMachineOptions {
  /** Everything that the machine writes lies here; short, because unix sockets lie here too. */
  readonly root: string;
  readonly image: string;
  readonly tools: VmTools;
  /** Sections of host-proxy.yaml: where KMS and IMDS are, and anything else. */
  readonly hostSettings: Readonly<Record<string, unknown>>;
}

function endOf(logFile: string, end: number | string | null): CliError {
  return new CliError('CLI_PROCESS_ENDED', `acra-enclave run ended with ${end}`, { action: `Read ${logFile}.` });
}

export class EnclaveMachine implements DemoRunner {
  readonly #options: EnclaveMachineOptions;
  readonly #ended = new AbortController();
  #daemon: DaemonProcess | undefined;
  adminUrl = '';

  constructor(options: EnclaveMachineOptions) {
    this.#options = options;
  }

  /** Resolves when the routes are open and the machine is being started. */
  async start(): Promise<void> {
    const { root, image, tools, hostSettings } = this.#options;
    const [runtimeFolder, logs] = [join(root, 'host'), join(root, 'logs')];
    for (const folder of [runtimeFolder, logs]) mkdirSync(folder, { recursive: true, mode: 0o700 });
    const config = join(root, 'host-proxy.yaml');
    const enclave = machineSection({ image, folder: root }, tools);
    const admin = { listen: 'tcp://127.0.0.1:0' };
    writeFileSync(config, stringify({ version: 1, enclave, admin, runtimeFolder, ...hostSettings }));
    progress('booting it under software emulation: half a minute, more on a busy machine …');
    const words = ['run', '--config', config];
    const logFile = join(logs, 'run.log');
    this.#daemon = new DaemonProcess({ name: 'acra-enclave run', arguments: words, logFile });
    void this.#daemon.exited.then(({ code, signal }) => this.#ended.abort(endOf(logFile, code ?? signal)));
    const started = await this.#daemon.untilEvent('host-proxy.started');
    const { host, port } = parseEndpoint(String(started['admin'])) as TcpEndpoint;
    this.adminUrl = `http://${host}:${port}`;
  }

  until(
    wanted: (status: HostStatus) => boolean,
    signal: AbortSignal,
    onChange?: (status: HostStatus) => void,
  ): Promise<HostStatus> {
    return untilHostStatus(this.adminUrl, wanted, systemClock, this.#whileItRuns(signal), onChange);
  }

  /** The address of the public port. @throws CliError CLI_NOT_READY as soon as the enclave has failed */
  untilServing(signal: AbortSignal, onChange?: (status: HostStatus) => void): Promise<TcpEndpoint> {
    return untilServing(this.adminUrl, systemClock, this.#whileItRuns(signal), onChange);
  }

  get exited(): Promise<DaemonExit> {
    return this.#daemon?.exited ?? Promise.resolve({ code: null, signal: null });
  }

  async stop(): Promise<void> {
    await this.#daemon?.stop(STOP_GRACE_MS);
  }

  /** Nothing is to be waited for from a daemon that has ended. */
  #whileItRuns(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, this.#ended.signal]);
  }
}
