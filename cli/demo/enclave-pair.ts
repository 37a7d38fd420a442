/** One enclave and the host-proxy of its parent, as two processes with their own vsock; what a user starts with two commands. */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { HostStatus } from '../../host-proxy/operator/host-status.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import { parseEndpoint } from '../../wire/endpoint.ts';
import { simulatedFolders, writeSimulatedParent } from '../simulated/folders.ts';
import { type DaemonExit, DaemonProcess } from './daemon-process.ts';
import { untilHostStatus, untilServing } from './host-status.ts';
import type { DemoRunner } from './place.ts';

export interface EnclavePairOptions {
  /** Everything that the pair writes lies here; short, because unix sockets lie here too. */
  readonly root: string;
  readonly enclaveFolder: string;
  /** The emulated security module's root, which the emulated KMS trusts. */
  readonly nsmFolder: string;
  /** What PCR3 and PCR4 are measured from. */
  readonly parent: { readonly roleArn: string; readonly instanceId: string };
  /** Sections of host-proxy.yaml: where database, KMS and IMDS are, and anything else. */
  readonly hostSettings: Readonly<Record<string, unknown>>;
  readonly environment: Readonly<Record<string, string>>;
}

const ENCLAVE_CID = 16;

export class EnclavePair implements DemoRunner {
  readonly #options: EnclavePairOptions;
  readonly vsockPath: string;
  readonly runtimeFolder: string;
  hostProxy: DaemonProcess | undefined;
  supervisor: DaemonProcess | undefined;
  adminUrl = '';

  constructor(options: EnclavePairOptions) {
    this.#options = options;
    mkdirSync(join(options.root, 'logs'), { recursive: true, mode: 0o700 });
    const folders = simulatedFolders(join(options.root, 'sim'));
    this.vsockPath = folders.vsockPath;
    this.runtimeFolder = folders.runtimeFolder;
    writeSimulatedParent(join(options.root, 'sim'), options.parent);
    if (folders.nsmFolder !== options.nsmFolder) cpSync(options.nsmFolder, folders.nsmFolder, { recursive: true });
  }

  async start(): Promise<void> {
    await this.startHostProxy();
    this.startSupervisor();
  }

  /** Of the enclave. */
  get exited(): Promise<DaemonExit> {
    return this.supervisor?.exited ?? Promise.resolve({ code: null, signal: null });
  }

  /** Resolves when it forwards. */
  async startHostProxy(): Promise<void> {
    const { root, hostSettings } = this.#options;
    const file = join(root, 'host-proxy.yaml');
    const fixed = {
      version: 1,
      enclave: { transport: 'vsock-uds', cid: ENCLAVE_CID, path: this.vsockPath },
      ingress: { listen: 'tcp://127.0.0.1:0' },
      admin: { listen: 'tcp://127.0.0.1:0' },
      runtimeFolder: join(root, 'host'),
    };
    writeFileSync(file, stringify({ ...fixed, ...hostSettings }));
    this.hostProxy = this.#daemon('host-proxy', ['host-proxy', '--config', file]);
    const { admin } = await this.hostProxy.untilEvent('host-proxy.started');
    const { host, port } = parseEndpoint(String(admin)) as TcpEndpoint;
    this.adminUrl = `http://${host}:${port}`;
  }

  /** Waits for nothing. */
  startSupervisor(): DaemonProcess {
    const { root, enclaveFolder } = this.#options;
    this.supervisor = this.#daemon('supervisor', [
      'supervisor',
      '--enclave',
      enclaveFolder,
      '--simulated',
      join(root, 'sim'),
    ]);
    return this.supervisor;
  }

  until(
    wanted: (status: HostStatus) => boolean,
    signal: AbortSignal,
    onChange?: (status: HostStatus) => void,
  ): Promise<HostStatus> {
    return untilHostStatus(this.adminUrl, wanted, systemClock, signal, onChange);
  }

  /** The address of the public port. @throws CliError CLI_NOT_READY as soon as the enclave has failed */
  untilServing(signal: AbortSignal, onChange?: (status: HostStatus) => void): Promise<TcpEndpoint> {
    return untilServing(this.adminUrl, systemClock, signal, onChange);
  }

  /** First the enclave, then what it talks through. */
  async stop(): Promise<void> {
    await this.supervisor?.stop();
    await this.hostProxy?.stop();
  }

  #daemon(name: string, args: readonly string[]): DaemonProcess {
    const { root, environment } = this.#options;
    return new DaemonProcess({ name, arguments: args, logFile: join(root, 'logs', `${name}.log`), environment });
  }
}
