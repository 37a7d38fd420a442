import { type ChildProcess, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readlinkSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import t, { type Test as TapTest } from 'tap';
import { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import { SystemError } from '../../../system/errors.ts';
import type { Confinement } from '../../../system/processes/confinement.ts';
import type { Launched, LaunchSpec, Secret } from '../../../system/processes/launch.ts';
import { launch as launchProcess } from '../../../system/processes/launch.ts';
import { isOwnChild } from '../../../system/processes/own-children.ts';
import { PROJECT } from '../../project/imports.ts';
import { throwsCode } from '../../support/coded-error.ts';
import { othersMayEnter } from '../../support/others-may-enter.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const KEY = Buffer.alloc(32, 0x5a);
const NOBODY = 65534;

interface Over extends Partial<Omit<LaunchSpec, 'confinement' | 'secrets'>> {
  readonly key?: SecretBuffer;
  readonly secrets?: readonly Secret[];
  readonly user?: Confinement['user'];
  readonly enclose?: Confinement['enclose'];
}

function start(t: TapTest, over: Over & Pick<LaunchSpec, 'program'>): Launched {
  const { key = SecretBuffer.take(Buffer.from(KEY)), user, enclose = () => undefined, ...rest } = over;
  const launched = launchProcess({
    arguments: [],
    environment: {},
    secrets: [{ variable: 'MASTER_KEY', value: key, encoding: 'base64' }],
    confinement: { user, enclose },
    ...rest,
  });
  t.teardown(() => launched.process.kill('SIGKILL'));
  return launched;
}

/** Runs a shell script. */
function launch(t: TapTest, script: string, over: Over = {}): ChildProcess {
  const { arguments: more = [], ...rest } = over;
  return start(t, { ...rest, program: '/bin/sh', arguments: ['-c', script, ...more] }).process;
}

/** What the program printed, when it has ended. */
async function output(child: ChildProcess): Promise<string> {
  const [printed] = await Promise.all([text(child.stdout ?? process.stdin), once(child, 'close')]);
  return printed.trim();
}

const imageOf = (pid: number) => readlinkSync(`/proc/${pid}/exe`);

/** A key that tells when it is asked for. */
function watchedKey(onUse: () => void): SecretBuffer {
  const key = SecretBuffer.take(Buffer.from(KEY));
  return new Proxy(key, {
    get: (target, name) => {
      if (name === 'use') onUse();
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

t.test('hands the key over in the environment, and nothing else of its own', async (t) => {
  const printed = await output(
    launch(t, 'env | sort; echo "$0 $1"', { arguments: ['program', 'argument'], environment: { GOMEMLIMIT: '1' } }),
  );
  const lines = printed.split('\n').filter((line) => !/^(PWD|SHLVL|_|OLDPWD)=/.test(line));
  t.same(lines, ['GOMEMLIMIT=1', `MASTER_KEY=${KEY.toString('base64')}`, 'program argument']);
});

t.test('encloses the process before the key is handed over and before anything of the program runs', async (t) => {
  const marker = join(temporaryFolder(t), 'started');
  const order: string[] = [];
  const child = launch(t, 'echo > "$0"; echo $$; cat /proc/self/oom_score_adj', {
    arguments: [marker],
    key: watchedKey(() => order.push('key')),
    enclose: (pid) => {
      order.push('enclose');
      t.equal(imageOf(pid), realpathSync(process.execPath), 'still the launcher');
      t.notOk(existsSync(marker));
      writeFileSync(`/proc/${pid}/oom_score_adj`, '777');
      order.push('enclosed');
    },
  });
  const { pid } = child;
  t.same(order, ['enclose', 'enclosed', 'key']);
  t.same((await output(child)).split('\n'), [String(pid), '777'], 'the same process, and what enclosed it holds');
  t.ok(existsSync(marker));
});

/** Resolves when no process has the pid any more. The test's own time limit ends the waiting. */
async function untilGone(pid: number): Promise<void> {
  while (existsSync(`/proc/${pid}`)) await turn();
}

t.test('rejects a process that cannot be enclosed, and ends it without the key (SYSTEM_LAUNCH_FAILED)', async (t) => {
  const marker = join(temporaryFolder(t), 'started');
  const cause = new Error('no such cgroup');
  let enclosed = 0;
  let isKeyUsed = false;
  const error = throwsCode(
    () =>
      launch(t, 'echo > "$0"', {
        arguments: [marker],
        key: watchedKey(() => {
          isKeyUsed = true;
        }),
        enclose: (pid) => {
          enclosed = pid;
          throw cause;
        },
      }),
    SystemError,
    'SYSTEM_LAUNCH_FAILED',
  );
  t.equal(error.cause, cause);
  await untilGone(enclosed);
  t.notOk(isKeyUsed);
  t.notOk(existsSync(marker), 'nothing of the program has run');
  t.notOk(isOwnChild(enclosed));
});

t.test('tells why no process could be made (ENOENT)', async (t) => {
  const { execPath } = process;
  process.execPath = join(temporaryFolder(t), 'none');
  try {
    const enclose = () => t.fail('there is nothing to enclose');
    const { failure, pid } = start(t, { program: '/bin/true', enclose });
    t.equal(pid, 0);
    t.same(await failure, { step: 'make', errno: 'ENOENT' });
  } finally {
    process.execPath = execPath;
  }
});

t.test('rejects a plan that no process takes (SYSTEM_LAUNCH_FAILED)', async (t) => {
  const error = throwsCode(() => launch(t, 'x'.repeat(4_000_000)), SystemError, 'SYSTEM_LAUNCH_FAILED');
  t.match(error.cause, { code: 'E2BIG' });
});

t.test('marks the process as one that Node waits for, until it has ended', async (t) => {
  const child = launch(t, 'true');
  const pid = child.pid ?? 0;
  t.ok(isOwnChild(pid));
  await once(child, 'exit');
  t.notOk(isOwnChild(pid));
});

t.test('gives the program no descriptor of the supervisor beyond its output', async (t) => {
  const script = 'for fd in /proc/$$/fd/*; do basename $fd; done';
  const open = openSync('/dev/null', 'r');
  t.teardown(() => closeSync(open));
  // What the tests' own starter left open comes to every process.
  const inherited = spawnSync('/bin/sh', ['-c', script], { encoding: 'utf8' }).stdout.trim();
  t.equal(await output(launch(t, script)), inherited);
});

t.test('gives the program no way to gain privileges and no core dump', async (t) => {
  const printed = await output(launch(t, 'grep NoNewPrivs /proc/self/status; grep core /proc/self/limits'));
  const [privileges, core] = printed.split('\n');
  t.match(privileges, /NoNewPrivs:\s+1/);
  t.match(core, /Max core file size\s+0\s+0/);
});

const needsAnotherUser =
  process.getuid?.() !== 0
    ? 'needs root, to become another user'
    : othersMayEnter(PROJECT) && othersMayEnter(realpathSync(process.execPath))
      ? false
      : 'another user may not enter the checkout or Node’s folder';

t.test('runs the program as another user, without root’s groups', { skip: needsAnotherUser }, async (t) => {
  const printed = await output(launch(t, 'id -u; id -g; id -G', { user: { uid: NOBODY, gid: NOBODY } }));
  t.same(printed.split('\n'), [String(NOBODY), String(NOBODY), String(NOBODY)]);
});

t.test('lets that user neither read nor signal the supervisor', { skip: needsAnotherUser }, async (t) => {
  const folder = join(temporaryFolder(t), 'private');
  mkdirSync(folder, { mode: 0o700 });
  writeFileSync(join(folder, 'file'), 'x');
  const attempts = `cat /proc/${process.pid}/environ || echo refused; kill -0 ${process.pid} || echo refused; ls ${folder} || echo refused`;
  const refusals = async (user: Confinement['user']) =>
    (await output(launch(t, `(${attempts}) 2>/dev/null`, { user }))).match(/^refused$/gm)?.length ?? 0;
  t.equal(await refusals({ uid: NOBODY, gid: NOBODY }), 3);
  t.equal(await refusals(undefined), 0);
});

const OPEN_SOCKETS = `
  const koffi = require(${JSON.stringify(join(PROJECT, 'node_modules/koffi'))});
  const socket = koffi.load(null).func('int socket(int, int, int)');
  for (const family of [40, 1, 2]) console.log(family, socket(family, 1, 0) === -1 ? koffi.errno() : 'open');`;

t.test('leaves the program no socket that leads out of the enclave beside the routes', async (t) => {
  const { process: child } = start(t, { program: process.execPath, arguments: ['-e', OPEN_SOCKETS] });
  t.same((await output(child)).split('\n'), ['40 97', '1 open', '2 open']);
});

const OPEN_RING = `
  const koffi = require(${JSON.stringify(join(PROJECT, 'node_modules/koffi'))});
  const syscall = koffi.load(null).func('long syscall(long, long, void *)');
  console.log(syscall(425, 1, Buffer.alloc(120)), koffi.errno());`;

t.test('leaves the program no rings, by which it could make such a socket unseen', async (t) => {
  const { process: child } = start(t, { program: process.execPath, arguments: ['-e', OPEN_RING] });
  t.equal(await output(child), '-1 38');
});

t.test('hands over as many secrets as there are, each in its own form', async (t) => {
  const secret = (variable: string, text: string, encoding: Secret['encoding']): Secret => ({
    variable,
    encoding,
    value: SecretBuffer.take(Buffer.from(text)),
  });
  const secrets = [
    secret('PASSWORD', 'pässword with = and \n', 'utf8'),
    secret('EMPTY', '', 'utf8'),
    secret('KEY', 'k', 'base64'),
  ];
  const printed = await output(launch(t, 'printf "%s|%s|%s" "$PASSWORD" "$EMPTY" "$KEY"', { secrets }));
  t.equal(printed, 'pässword with = and \n||aw==');
});

t.test('tells nothing of a program that ran, however it ended', async (t) => {
  for (const script of ['exit 0', 'exit 71', 'kill -9 $$', 'echo "execute ENOENT" >&3 2>/dev/null; exit 1'])
    t.equal(await start(t, { program: '/bin/sh', arguments: ['-c', script] }).failure, undefined, script);
});

for (const [what, errno, prepare] of [
  ['is not there', 'ENOENT', () => undefined],
  ['is a folder', 'EACCES', (path: string) => mkdirSync(path)],
  ['may not be executed', 'EACCES', (path: string) => writeFileSync(path, '#!/bin/sh\n', { mode: 0o600 })],
  ['is no program', 'ENOEXEC', (path: string) => writeFileSync(path, 'text', { mode: 0o700 })],
  ['is of another machine', 'ENOEXEC', (path: string) => writeFileSync(path, foreignElf(), { mode: 0o700 })],
  ['lacks its loader', 'ENOENT', (path: string) => writeFileSync(path, '#!/none/loader\n', { mode: 0o700 })],
  ['is a broken link', 'ENOENT', (path: string) => symlinkSync('/none', path)],
  ['lies behind a file', 'ENOTDIR', (path: string) => writeFileSync(join(path, '..', 'file'), '')],
] as const)
  t.test(`tells why a program that ${what} could not be executed (${errno})`, async (t) => {
    const folder = temporaryFolder(t);
    prepare(join(folder, 'program'));
    const program = errno === 'ENOTDIR' ? join(folder, 'file', 'program') : join(folder, 'program');
    const { process: child, failure } = start(t, { program });
    const printed = output(child);
    t.same(await failure, { step: 'execute', errno });
    t.equal(await printed, '', 'and prints nothing');
  });

t.test('tells that arguments are longer than the kernel takes (E2BIG)', async (t) => {
  const { failure } = start(t, {
    program: '/bin/true',
    environment: { LONG: 'x'.repeat(120_000), MORE: 'y' },
    secrets: [{ variable: 'SECRET', encoding: 'utf8', value: SecretBuffer.take(Buffer.alloc(200_000, 'z')) }],
  });
  t.same(await failure, { step: 'execute', errno: 'E2BIG' });
});

/** An ELF header of a machine that no host of ours is (EM_S390, big-endian). */
function foreignElf(): Buffer {
  const header = Buffer.alloc(64);
  header.write('\x7fELF\x02\x02\x01', 'latin1');
  header.writeUInt16BE(2, 16);
  header.writeUInt16BE(22, 18);
  return header;
}
