/** The local socket is its owner's, whatever the umask and whatever lay there before. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ConnectError } from '../../../cli/connect/errors.ts';
import { listenOnSocket, privateSocketPath } from '../../../cli/connect/local-socket.ts';
import { rejectsCode, throwsCode } from '../../support/coded-error.ts';
import { othersMayEnter } from '../../support/others-may-enter.ts';
import { withoutPsql } from '../../support/psql.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const modeOf = (path: string) => statSync(path).mode & 0o777;
const place = (t: Test) => join(temporaryFolder(t), 'deep', 'socket');
const withUmask = <Result>(umask: number, act: () => Result): Result => {
  const before = process.umask(umask);
  try {
    return act();
  } finally {
    process.umask(before);
  }
};

async function listening(t: Test, path: string): Promise<Server> {
  const server = createServer();
  await listenOnSocket(server, path);
  t.teardown(() => new Promise((resolve) => server.close(resolve)));
  return server;
}

for (const umask of [0, 0o077]) {
  t.test(`keeps folder and socket private under umask ${umask.toString(8)}`, async (t) => {
    const folder = place(t);
    const path = withUmask(umask, () => privateSocketPath(folder));
    const before = process.umask(umask);
    t.teardown(() => process.umask(before));
    await listening(t, path);
    t.equal(modeOf(folder), 0o700);
    t.equal(modeOf(path), 0o600);
    t.equal(process.umask(), umask, 'the process keeps its own');
  });
}

t.test('makes the folder usable under a umask that takes everything away', async (t) => {
  const folder = join(temporaryFolder(t), 'socket');
  withUmask(0o777, () => privateSocketPath(folder));
  t.equal(modeOf(folder), 0o700);
});

const FOLDERS: Readonly<Record<string, (folder: string) => void>> = {
  'a folder that its group may enter': (folder) => {
    mkdirSync(folder);
    chmodSync(folder, 0o750);
  },
  'a link to a folder': (folder) => {
    mkdirSync(`${folder}-real`, { mode: 0o700 });
    symlinkSync(`${folder}-real`, folder);
  },
  'a file': (folder) => writeFileSync(folder, ''),
};

t.test('rejects a folder that everybody may rename (CONNECT_SOCKET_FOLDER)', async (t) => {
  const shared = temporaryFolder(t);
  chmodSync(shared, 0o777);
  const folder = join(shared, 'own', 'socket');
  throwsCode(() => privateSocketPath(folder), ConnectError, 'CONNECT_SOCKET_FOLDER');
  chmodSync(shared, 0o1777);
  t.equal(privateSocketPath(folder), join(folder, '.s.PGSQL.5432'), 'not with the sticky bit');
});

for (const [what, make] of Object.entries(FOLDERS)) {
  t.test(`rejects ${what} (CONNECT_SOCKET_FOLDER)`, async (t) => {
    const folder = join(temporaryFolder(t), 'socket');
    make(folder);
    throwsCode(() => privateSocketPath(folder), ConnectError, 'CONNECT_SOCKET_FOLDER');
  });
}

t.test('rejects a path that no socket can have (CONNECT_SOCKET_FOLDER)', async (t) => {
  const folder = join(temporaryFolder(t), 'x'.repeat(108));
  throwsCode(() => privateSocketPath(folder), ConnectError, 'CONNECT_SOCKET_FOLDER');
  t.notOk(existsSync(folder));
});

t.test('replaces the socket of a process that is gone', async (t) => {
  const path = privateSocketPath(place(t));
  const gone = createServer().listen({ path: `${path}.old` });
  await once(gone, 'listening');
  renameSync(`${path}.old`, path);
  await new Promise((resolve) => gone.close(resolve));
  t.ok(statSync(path).isSocket());
  await listening(t, path);
  t.equal(modeOf(path), 0o600);
});

t.test('rejects the place of a living process, which stays (CONNECT_SOCKET_BUSY)', async (t) => {
  const path = privateSocketPath(place(t));
  await listening(t, path);
  await rejectsCode(() => listenOnSocket(createServer(), path), ConnectError, 'CONNECT_SOCKET_BUSY');
  t.ok(existsSync(path));
});

t.test('rejects to replace a file that is no socket (CONNECT_SOCKET_BUSY)', async (t) => {
  const path = privateSocketPath(place(t));
  writeFileSync(path, 'kept');
  await rejectsCode(() => listenOnSocket(createServer(), path), ConnectError, 'CONNECT_SOCKET_BUSY');
  t.equal(statSync(path).size, 4);
});

const NOBODY = 65_534;
const cannotTry = process.geteuid?.() !== 0 || withoutPsql !== false;

t.test('rejects another user of the machine', { skip: cannotTry && 'needs root and psql' }, async (t) => {
  const root = temporaryFolder(t);
  chmodSync(root, 0o755);
  if (!othersMayEnter(root)) return t.comment('only root may enter the folder of temporary files');
  const folder = join(root, 'socket');
  await listening(t, privateSocketPath(folder));
  const other = spawnSync('psql', ['-h', folder, '-U', 'app', '-c', 'SELECT 1'], {
    uid: NOBODY,
    gid: NOBODY,
    cwd: '/',
    encoding: 'utf8',
  });
  t.match(other.stderr, /Permission denied/);
});
