/**
 * A kernel for enclave images, wherever it comes from: built from Debian's source, nitro-cli's own, or a file that was built
 * before. What the rest of the build needs to know of it is the same for all.
 */
import type { Architecture } from '../format/header.ts';

export interface Kernel {
  readonly architecture: Architecture;
  /** bzImage (x86_64) or Image (aarch64). */
  readonly path: string;
  /** The whole command line; measured. */
  readonly cmdline: string;
  /** `uname -r`, or "unknown". */
  readonly release: string;
  /** For the bill of materials. */
  readonly origin: KernelOrigin;
  /** What the image's first ramdisk is: our own, or AWS's with its init that changes root to `/rootfs`. */
  readonly bootstrap: { readonly kind: 'own' } | AwsBootstrap;
}

export interface AwsBootstrap {
  readonly kind: 'aws';
  /** Paths of AWS's init and of its NSM module. */
  readonly init: string;
  readonly nsmModule: string;
}

interface KernelOrigin {
  readonly name: string;
  readonly version: string;
  /** Package URL, where the kernel has one. */
  readonly purl?: string;
  /** What the kernel was made from: name and value (a version, or a SHA-256 as hex). */
  readonly inputs: Readonly<Record<string, string>>;
}
