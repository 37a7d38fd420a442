/**
 * What differs between an enclave and a simulated one, in one place. The supervisor's code above this seam is the same
 * on Nitro hardware, on QEMU's nitro-enclave machine and in an ordinary process.
 */
import type { NsmProvider } from '../attestation/nsm/provider.ts';
import type { Logger } from '../runtime/log.ts';
import type { Confinement, ProcessBounds, ProcessUser } from '../system/processes/confinement.ts';
import type { Cid, VsockPort } from '../wire/brands.ts';
import type { Endpoint } from '../wire/endpoint.ts';

/** acra-server, or a program of ours that sessions pass through. */
export type ChildKind = 'acra-server' | 'session';

/** One program of an application: whose it is, and its bounds. */
export interface ProgramRoom extends Pick<Confinement, 'enclose' | 'clear' | 'release'> {
  /** Undefined: as whoever starts it. */
  readonly user: ProcessUser | undefined;
  /** Bounds a process that runs beside the program, and is not the program: its probe. */
  join(pid: number): void;
  /** How many of its processes the kernel has ended because they took more memory than their bound. */
  outOfMemoryKills(): number;
}

/** Where the programs of an application run. */
export interface Application {
  /** The folder that becomes their root; undefined: this machine's own. */
  readonly root: string | undefined;
  /** Each name once at a time. */
  room(name: string, bounds: ProcessBounds, user: ProcessUser): ProgramRoom;
  /** Has names lead to addresses, for all programs. */
  writeHosts(entries: readonly HostsEntry[], logger: Logger): void;
  /** Tells all programs where names are asked for. @param text as resolv.conf(5) has it */
  writeResolver(text: string, logger: Logger): void;
}

export interface HostsEntry {
  readonly name: string;
  readonly address: string;
}

/** The machine, once it is fit to work on. */
export interface Machine {
  /** Each name once at a time. @param kind default: acra-server */
  confine(name: string, bounds: ProcessBounds, kind?: ChildKind): Confinement;
  /** Makes the application's file system fit for its programs. */
  openApplication(logger: Logger): Application;
  stop(): Promise<void>;
}

export interface Platform {
  /** Told to the parent, so that nobody takes a laptop's enclave for a real one. It grants nothing. */
  readonly simulated: boolean;
  /** A folder of our own in memory (0700) for sockets; exists once the machine is prepared. */
  readonly runtimeFolder: string;
  /** What must be true of a machine before anything else runs: file systems, loopback, limits. */
  prepareMachine(logger: Logger): Promise<Machine>;
  openNsm(): Promise<NsmProvider>;
  /** The name that `rng_current` must show: the generator that feeds the kernel's pool. */
  readonly requiredHardwareRng: string;
  currentHardwareRng(): Promise<string>;
  /** Mixes bytes into the kernel's pool and, where the platform may, credits them. */
  addEntropy(bytes: Buffer): Promise<void>;
  /** The hypervisor's own clock, where the kernel offers it; ms since the epoch. */
  hypervisorTimeMs(): number | undefined;
  /** Sets the wall clock from a time that the parent cannot steer. */
  setWallClock(timeMs: number): Promise<void>;
  /** Whether somebody on the parent waits for the byte that says that the enclave has booted. */
  readonly sendsHeartbeat: boolean;
  /** The CIDs under which the parent may dial in. */
  readonly parentCids: readonly Cid[];
  /** Address of a port of the parent. */
  parentPort(port: VsockPort): Endpoint;
  /** Address on which the enclave itself listens for the parent. */
  enclavePort(port: VsockPort): Endpoint;
}
