/** Where the enclaves of a demo run: simulated, or as measured images on QEMU's machine. The story (story.ts) is the same for both. */
import type { HostStatus } from '../../host-proxy/operator/host-status.ts';
import type { PcrIndex } from '../../wire/brands.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import type { DaemonExit } from './daemon-process.ts';
import type { OutsideParts } from './parts.ts';
import type { Steps } from './steps.ts';

/** An enclave and its parent's daemon. */
export interface DemoRunner {
  /** Of host-proxy, once it was started. */
  readonly adminUrl: string;
  /** Waits for nothing of the enclave. */
  start(): Promise<void>;
  until(
    wanted: (status: HostStatus) => boolean,
    signal: AbortSignal,
    onChange?: (status: HostStatus) => void,
  ): Promise<HostStatus>;
  /** The address of the public port. @throws CliError CLI_NOT_READY as soon as the enclave has failed */
  untilServing(signal: AbortSignal, onChange?: (status: HostStatus) => void): Promise<TcpEndpoint>;
  /** How the enclave ended, as whoever started it is told. */
  readonly exited: Promise<DaemonExit>;
  stop(): Promise<void>;
}

export interface DemoEnclave {
  /** PCR0 to 2, before it runs. */
  readonly pcrs: ReadonlyMap<PcrIndex, Buffer>;
  readonly runner: DemoRunner;
}

/** Of whoever publishes what runs in the enclave. */
export interface PublishedFiles {
  readonly measurements: string;
  /** Of a module that signs, and is an emulated one. */
  readonly trustRoot?: string;
}

export interface DemoPlace {
  /** Everything lies here. */
  readonly root: string;
  readonly parts: OutsideParts;
  /** What each register of `pcrs` measures. */
  readonly registers: string;
  /** The one of the story. */
  measure(signal: AbortSignal): Promise<DemoEnclave>;
  /** One of a copy of the measured folder. @param change alters the copy */
  measureAltered(change: (folder: string) => void, signal: AbortSignal): Promise<DemoEnclave>;
  publish(): Promise<PublishedFiles>;
  /** What somebody outside finds who asks the enclave what it is. @throws CliError CLI_DEMO_STEP */
  showToStranger(enclave: DemoEnclave, address: TcpEndpoint, steps: Steps): Promise<void>;
  stop(): Promise<void>;
}
