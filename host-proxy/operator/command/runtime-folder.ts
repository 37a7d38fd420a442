/** The folder of the daemon's private sockets: who may enter it may stop the enclave, so nobody else may. */
import { constants, lstatSync, mkdirSync } from 'node:fs';
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
  // A link could be led elsewhere by whoever may write beside it.
  const { mode, uid } = lstatSync(folder);
  const isFolder = (mode & constants.S_IFMT) === constants.S_IFDIR;
  if (isFolder && uid === process.geteuid?.() && (mode & OTHERS) === 0) return;
  throw new HostProxyError('HOST_RUNTIME_FOLDER', `${folder} is not private`, {
    found: isFolder ? `mode ${(mode & 0o7777).toString(8)}, user ${uid}` : 'a link or file',
    allowed: `a folder, mode 700, user ${process.geteuid?.()}`,
  });
}
