/** The folder of the daemon's private sockets: who may enter it may stop the enclave, so nobody else may. */
import { join } from 'node:path';
import { preparePrivateFolder } from '../../private-folder.ts';

export function commandSocketPath(runtimeFolder: string): string {
  return join(runtimeFolder, 'command.sock');
}

/** Makes the folder where there is none. @throws HostProxyError HOST_RUNTIME_FOLDER */
export function prepareRuntimeFolder(folder: string): void {
  preparePrivateFolder(folder, 'HOST_RUNTIME_FOLDER');
}
