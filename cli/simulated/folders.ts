/** The state folder of one simulated enclave: its vsock device, its security module's root, its memory-only files. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

export interface SimulatedFolders {
  /** Hybrid vsock path; host-proxy.yaml names the same (`enclave.path`). */
  readonly vsockPath: string;
  readonly nsmFolder: string;
  readonly runtimeFolder: string;
}

export function simulatedFolders(stateFolder: string): SimulatedFolders {
  const folders = {
    vsockPath: join(stateFolder, 'vm.vsock'),
    nsmFolder: join(stateFolder, 'nsm'),
    runtimeFolder: join(stateFolder, 'run'),
  };
  mkdirSync(folders.nsmFolder, { recursive: true, mode: 0o700 });
  mkdirSync(folders.runtimeFolder, { recursive: true, mode: 0o700 });
  return folders;
}
