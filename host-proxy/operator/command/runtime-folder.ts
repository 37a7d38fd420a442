/** The folder of the daemon's private sockets: who may enter it may stop the enclave, so nobody else may. */
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { HostProxyError } from '../../errors.ts';

const FOLDER_MODE = 0o700;
const OTHERS = 0o077;

export function commandSocketPath(runtimeFolder: string): string {
  return join(runtimeFolder, 'command.sock');
}

/** Makes the folder where there is none. @throws HostProxyError HOST_RUNTIME_FOLDER */
export function prepareRuntimeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: FOLDER_MODE });
  } catch (cause) {
    throw new HostProxyError('HOST_RUNTIME_FOLDER', `cannot make ${folder}`, { cause });
  }
  const { mode, uid } = statSync(folder);
  if (uid === process.geteuid?.() && (mode & OTHERS) === 0) return;
  throw new HostProxyError('HOST_RUNTIME_FOLDER', `${folder} is not private`, {
    found: `mode ${(mode & 0o7777).toString(8)}, user ${uid}`,
    allowed: `mode 700, user ${process.geteuid?.()}`,
  });
}
