/** Folders of the daemon that nobody else may enter: made where there are none, and looked at before they are used. */
import { constants, lstatSync, mkdirSync } from 'node:fs';
import { HostProxyError } from './errors.ts';

const FOLDER_MODE = 0o700;
const OTHERS = 0o077;

/** @throws HostProxyError with that code */
export function preparePrivateFolder(folder: string, code: 'HOST_RUNTIME_FOLDER' | 'HOST_KEYS_FOLDER'): void {
  try {
    mkdirSync(folder, { recursive: true, mode: FOLDER_MODE });
  } catch (cause) {
    throw new HostProxyError(code, `cannot make ${folder}`, { cause });
  }
  // A link could be led elsewhere by whoever may write beside it.
  const { mode, uid } = lstatSync(folder);
  const isFolder = (mode & constants.S_IFMT) === constants.S_IFDIR;
  if (isFolder && uid === process.geteuid?.() && (mode & OTHERS) === 0) return;
  throw new HostProxyError(code, `${folder} is not private`, {
    found: isFolder ? `mode ${(mode & 0o7777).toString(8)}, user ${uid}` : 'a link or file',
    allowed: `a folder, mode 700, user ${process.geteuid?.()}`,
  });
}
