/** The state folder of one simulated enclave: its vsock device, its security module's root, its memory-only files. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

interface SimulatedParent {
  readonly roleArn: string;
  readonly instanceId: string;
}

const parentSchema = z.strictObject({ roleArn: z.string().min(1), instanceId: z.string().min(1) });

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

function parentFile(stateFolder: string): string {
  return join(stateFolder, 'parent.json');
}

/** Tells the enclave's security module which instance it runs on, as the hypervisor would know it. */
export function writeSimulatedParent(stateFolder: string, parent: SimulatedParent): void {
  writeFileSync(parentFile(stateFolder), JSON.stringify(parent));
}

/** undefined when nobody has told. */
export function readSimulatedParent(stateFolder: string): SimulatedParent | undefined {
  const file = parentFile(stateFolder);
  return existsSync(file) ? parentSchema.parse(JSON.parse(readFileSync(file, 'utf8'))) : undefined;
}
