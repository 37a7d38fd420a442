import { type ChildProcess, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readlinkSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import t, { type Test as TapTest } from 'tap';
import type { AcraProgram } from '../../../acra/obtain/program.ts';
import { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import type { LaunchSpec } from '../../../supervisor/children/launch.ts';
import { launchAcra } from '../../../supervisor/children/launch.ts';
import { SupervisorError } from '../../../supervisor/errors.ts';
import { isOwnChild } from '../../../system/processes/own-children.ts';
import { PROJECT } from '../../project/imports.ts';
import { throwsCode } from '../../support/coded-error.ts';
import { othersMayEnter } from '../../support/others-may-enter.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const KEY = Buffer.alloc(32, 0x5a);
const NOBODY = 65534;

/** Runs a shell script in the place of acra-server. */
const shell = (script: string): AcraProgram => ({
  kind: 'path',
  program: '/bin/sh',
  leadingArguments: ['-c', script],
  sha256: '',
  description: 'a script',
});

function launch(t: TapTest, script: string, over: Partial<LaunchSpec> = {}): ChildProcess {
  const child = launchAcra({
    program: shell(script),
    arguments: [],
    environment: {},
    masterKey: SecretBuffer.take(Buffer.from(KEY)),
    user: undefined,
    enclose: () => undefined,
    ...over,
  });
  t.teardown(() => child.kill('SIGKILL'));
  return child;
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
  t.same(lines, [`ACRA_MASTER_KEY=${KEY.toString('base64')}`, 'GOMEMLIMIT=1', 'program argument']);
});

t.test('encloses the process before the key is handed over and before anything of acra-server runs', async (t) => {
  const marker = join(temporaryFolder(t), 'started');
  const order: string[] = [];
  const child = launch(t, 'echo > "$0"; echo $$; cat /proc/self/oom_score_adj', {
    arguments: [marker],
    masterKey: watchedKey(() => order.push('key')),
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

t.test('rejects a process that cannot be enclosed, and ends it without the key (CHILD_LAUNCH_FAILED)', async (t) => {
  const marker = join(temporaryFolder(t), 'started');
  const cause = new Error('no such cgroup');
  let enclosed = 0;
  let isKeyUsed = false;
  const error = throwsCode(
    () =>
      launch(t, 'echo > "$0"', {
        arguments: [marker],
        masterKey: watchedKey(() => {
          isKeyUsed = true;
        }),
        enclose: (pid) => {
          enclosed = pid;
          throw cause;
        },
      }),
    SupervisorError,
    'CHILD_LAUNCH_FAILED',
  );
  t.equal(error.cause, cause);
  await untilGone(enclosed);
  t.notOk(isKeyUsed);
  t.notOk(existsSync(marker), 'nothing of the program has run');
  t.notOk(isOwnChild(enclosed));
});

t.test('rejects what no process can be made for (CHILD_LAUNCH_FAILED)', async (t) => {
  const { execPath } = process;
  process.execPath = join(temporaryFolder(t), 'none');
  try {
    const enclose = () => t.fail('there is nothing to enclose');
    throwsCode(() => launch(t, 'true', { enclose }), SupervisorError, 'CHILD_LAUNCH_FAILED');
  } finally {
    process.execPath = execPath;
  }
});

t.test('marks the process as one that Node waits for, until it has ended', async (t) => {
  const child = launch(t, 'true');
  const pid = child.pid ?? 0;
  t.ok(isOwnChild(pid));
  await once(child, 'exit');
  t.notOk(isOwnChild(pid));
});

t.test('gives acra-server no descriptor of the supervisor beyond its output', async (t) => {
  const script = 'for fd in /proc/$$/fd/*; do basename $fd; done';
  const open = openSync('/dev/null', 'r');
  t.teardown(() => closeSync(open));
  // What the tests' own starter left open comes to every process.
  const inherited = spawnSync('/bin/sh', ['-c', script], { encoding: 'utf8' }).stdout.trim();
  t.equal(await output(launch(t, script)), inherited);
});

t.test('gives acra-server no way to gain privileges and no core dump', async (t) => {
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

t.test('runs acra-server as another user, without root’s groups', { skip: needsAnotherUser }, async (t) => {
  const printed = await output(launch(t, 'id -u; id -g; id -G', { user: { uid: NOBODY, gid: NOBODY } }));
  t.same(printed.split('\n'), [String(NOBODY), String(NOBODY), String(NOBODY)]);
});

t.test('lets that user neither read nor signal the supervisor', { skip: needsAnotherUser }, async (t) => {
  const folder = join(temporaryFolder(t), 'private');
  mkdirSync(folder, { mode: 0o700 });
  writeFileSync(join(folder, 'file'), 'x');
  const attempts = `cat /proc/${process.pid}/environ || echo refused; kill -0 ${process.pid} || echo refused; ls ${folder} || echo refused`;
  const refusals = async (user: LaunchSpec['user']) =>
    (await output(launch(t, `(${attempts}) 2>/dev/null`, { user }))).match(/^refused$/gm)?.length ?? 0;
  t.equal(await refusals({ uid: NOBODY, gid: NOBODY }), 3);
  t.equal(await refusals(undefined), 0);
});

const OPEN_SOCKETS = `
  const koffi = require(${JSON.stringify(join(PROJECT, 'node_modules/koffi'))});
  const socket = koffi.load(null).func('int socket(int, int, int)');
  for (const family of [40, 1, 2]) console.log(family, socket(family, 1, 0) === -1 ? koffi.errno() : 'open');`;

t.test('leaves acra-server no socket that leads out of the enclave beside the routes', async (t) => {
  const program = { ...shell(''), program: process.execPath, leadingArguments: ['-e', OPEN_SOCKETS] };
  t.same((await output(launch(t, '', { program }))).split('\n'), ['40 97', '1 open', '2 open']);
});
