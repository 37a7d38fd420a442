/**
 * The local socket: a file of mode 600 in a folder of mode 700, whatever the umask, named as libpq looks for it. What a process that is
 * gone has left is replaced; one that answers is left alone. Source: PostgreSQL 18, libpq, "host" and "port".
 */
import { chmodSync, lstatSync, mkdirSync, realpathSync, rmSync, statSync } from 'node:fs';
import { createConnection, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { errorCode } from '../../runtime/errors.ts';
import { MAX_UNIX_PATH_BYTES, type TcpEndpoint } from '../../wire/endpoint.ts';
import { ConnectError } from './errors.ts';

const SOCKET_NAME = '.s.PGSQL.5432';
const FOLDER_MODE = 0o700;
const OTHERS = 0o077;
const WRITABLE_BY_ALL = 0o002;
/** Only the owner of a file may rename it. */
const STICKY = 0o1000;
const SOCKET_UMASK = 0o177;

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: FOLDER_MODE });
    // A umask can take more away than it should.
    const { mode, uid } = lstatSync(folder);
    if (uid === process.geteuid?.() && (mode & 0o777) === (FOLDER_MODE & ~process.umask()))
      chmodSync(folder, FOLDER_MODE);
  } catch (cause) {
    throw new ConnectError('CONNECT_SOCKET_FOLDER', `cannot make ${folder}`, { cause });
  }
}

/** Whoever may rename what lies in a folder above can put a folder of his own in the place of this one; clients would talk to him. */
function requireFirmPlace(folder: string): void {
  const path = realpathSync(folder);
  for (let above = dirname(path), below = path; above !== below; below = above, above = dirname(above)) {
    const { mode } = statSync(above);
    if ((mode & WRITABLE_BY_ALL) === 0 || (mode & STICKY) !== 0) continue;
    throw new ConnectError('CONNECT_SOCKET_FOLDER', `${folder} can be replaced by anybody`, {
      found: `${above} has mode ${(mode & 0o7777).toString(8)}`,
      allowed: 'folders above in which others cannot rename anything: not writable by them, or with the sticky bit',
    });
  }
}

/** Made where there is none. @returns the path of the socket in it. @throws ConnectError CONNECT_SOCKET_FOLDER */
export function privateSocketPath(folder: string): string {
  const path = join(folder, SOCKET_NAME);
  if (Buffer.byteLength(path) > MAX_UNIX_PATH_BYTES) {
    const allowed = `a path of at most ${MAX_UNIX_PATH_BYTES} bytes with the name ${SOCKET_NAME}`;
    throw new ConnectError('CONNECT_SOCKET_FOLDER', `${folder} is too long`, { allowed });
  }
  makeFolder(folder);
  // A link could be led elsewhere by whoever may write beside it.
  const stat = lstatSync(folder);
  const { mode, uid } = stat;
  if (stat.isDirectory() && uid === process.geteuid?.() && (mode & OTHERS) === 0) {
    requireFirmPlace(folder);
    return path;
  }
  throw new ConnectError('CONNECT_SOCKET_FOLDER', `${folder} is not private`, {
    found: stat.isDirectory() ? `mode ${(mode & 0o777).toString(8)}, user ${uid}` : 'a link or file',
    allowed: `a folder, mode 700, user ${process.geteuid?.()}`,
  });
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error) => {
      if (errorCode(error) === 'ECONNREFUSED' || errorCode(error) === 'ENOENT') resolve(false);
      else reject(new ConnectError('CONNECT_SOCKET_BUSY', `cannot tell who has ${path}`, { cause: error }));
    });
  });
}

/** @throws ConnectError CONNECT_SOCKET_BUSY */
async function clearPlace(path: string): Promise<void> {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isSocket()) throw new ConnectError('CONNECT_SOCKET_BUSY', `${path} is no socket`);
  if (await isAnswered(path)) throw new ConnectError('CONNECT_SOCKET_BUSY', `another process answers on ${path}`);
  rmSync(path, { force: true });
}

function listen(server: Server, where: string, bind: (done: () => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(new ConnectError('CONNECT_LISTEN', `cannot listen on ${where}`, { cause })));
    bind(resolve);
  });
}

/** @param path of privateSocketPath. Closing the server removes it. @throws ConnectError CONNECT_SOCKET_BUSY, CONNECT_LISTEN */
export async function listenOnSocket(server: Server, path: string): Promise<void> {
  await clearPlace(path);
  await listen(server, path, (done) => {
    // listen() binds a path before it returns: the socket never has other permissions, not for a moment.
    const umask = process.umask(SOCKET_UMASK);
    try {
      server.listen({ path }, done);
      chmodSync(path, 0o600);
    } finally {
      process.umask(umask);
    }
  });
}

/** @param address of the loopback interface. @throws ConnectError CONNECT_LISTEN */
export function listenOnLoopback(server: Server, { host, port }: TcpEndpoint): Promise<void> {
  return listen(server, `${host}:${port}`, (done) => server.listen({ host, port }, done));
}
