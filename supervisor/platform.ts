/**
 * What differs between an enclave and a simulated one, in one place. The supervisor's code above this seam is the same
 * on Nitro hardware, on QEMU's nitro-enclave machine and in an ordinary process.
 */
import type { NsmProvider } from '../attestation/nsm/provider.ts';
import type { Cid, VsockPort } from '../config/brands.ts';
import type { Endpoint } from '../config/endpoint.ts';

export interface Platform {
  /** Told to the parent, so that nobody takes a laptop's enclave for a real one. It grants nothing. */
  readonly simulated: boolean;
  /** A folder of our own in memory (0700) for sockets and the short-lived TLS key file. Must exist. */
  readonly runtimeFolder: string;
  openNsm(): Promise<NsmProvider>;
  /** The name that `rng_current` must show: the generator that feeds the kernel's pool. */
  readonly requiredHardwareRng: string;
  currentHardwareRng(): Promise<string>;
  /** Mixes bytes into the kernel's pool and, where the platform may, credits them. */
  addEntropy(bytes: Buffer): Promise<void>;
  /** Sets the wall clock from a time that the parent cannot steer. */
  setWallClock(timeMs: number): Promise<void>;
  /** The CIDs under which the parent may dial in. */
  readonly parentCids: readonly Cid[];
  /** Address of a port of the parent. */
  parentPort(port: VsockPort): Endpoint;
  /** Address on which the enclave itself listens for the parent. */
  enclavePort(port: VsockPort): Endpoint;
}
