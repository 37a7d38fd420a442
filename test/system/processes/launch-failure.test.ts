/** Why a program could not be started reaches whoever has to mend it: the kernel's word, or the loader's. */
import { spawnSync } from 'node:child_process';
import { readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test as TapTest } from 'tap';
import { explainExit } from '../../../acra/server/exit.ts';
import { systemClock } from '../../../runtime/clock.ts';
import type { ProcessHandle } from '../../../supervisor/children/child.ts';
import type { Exit } from '../../../supervisor/children/exit.ts';
import { startProcess } from '../../../supervisor/children/process.ts';
import { describeLaunchFailure, loaderFailure } from '../../../system/processes/launch-failure.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const ENV = realpathSync('/usr/bin/env');

/** A program of this machine with other names in it, of the same length. */
function altered(t: TapTest, ...changes: readonly (readonly [string, string])[]): string {
  const bytes = readFileSync(ENV);
  for (const [from, to] of changes) {
    const at = bytes.indexOf(`${from}\0`, 0, 'latin1');
    if (at === -1) throw new Error(`${ENV} has no ${from}`);
    bytes.write(to, at, 'latin1');
  }
  const program = join(temporaryFolder(t), 'program');
  writeFileSync(program, bytes, { mode: 0o755 });
  return program;
}

function start(program: string): ProcessHandle {
  return startProcess({
    name: 'test',
    program,
    arguments: [],
    environment: {},
    secrets: [],
    confinement: { user: undefined, enclose: () => undefined, clear: () => undefined },
    clock: systemClock,
    onStreams: (streams) => {
      for (const stream of streams) stream?.resume();
    },
  });
}

const end = (program: string): Promise<Exit> => start(program).exited;

const explain = (exit: Exit) => explainExit({ ...exit, requested: false, logCodes: new Set() });
const loader = /\/lib[^\0]*\/ld-linux[^\0]*/.exec(readFileSync(ENV, 'latin1'))?.[0];
const version = /GLIBC_2\.(1\d|[23]\d)(?=\0)/.exec(readFileSync(ENV, 'latin1'))?.[0];
const withoutGlibc = loader && version ? false : 'programs of this machine are not linked with glibc';

t.test('tells which library a program lacks', { skip: withoutGlibc }, async (t) => {
  const exit = await end(altered(t, ['libc.so.6', 'libX.so.6']));
  t.match(explain(exit), {
    errorCode: 'ACRA_EXIT_NOT_EXECUTED',
    meaning: /its loader gave up: error while loading shared libraries: libX\.so\.6: cannot open shared object file/,
    restart: 'never',
  });
});

t.test('tells which version of a library a program lacks', { skip: withoutGlibc }, async (t) => {
  const missing = String(version).replace('_2', '_9');
  const exit = await end(altered(t, [String(version), missing]));
  t.match(explain(exit), {
    errorCode: 'ACRA_EXIT_NOT_EXECUTED',
    meaning: new RegExp(`version \`${missing}' not found`),
  });
});

t.test('tells that the loader itself is missing (ENOENT)', { skip: withoutGlibc }, async (t) => {
  const exit = await end(altered(t, [String(loader), String(loader).replace(/.$/, '9')]));
  t.same(exit.notLaunched, { step: 'execute', errno: 'ENOENT' });
  t.match(explain(exit).meaning, /execve failed: ENOENT: .*the program, or the loader/);
});

t.test('tells that no process could be made, and why', async (t) => {
  const { execPath } = process;
  process.execPath = join(temporaryFolder(t), 'none');
  try {
    const exited = end('/bin/true');
    process.execPath = execPath;
    t.match(await exited, { notLaunched: { step: 'make', errno: 'ENOENT' } });
  } finally {
    process.execPath = execPath;
  }
});

t.test('tells that the launcher itself broke, and calls nobody broken who was killed', async (t) => {
  const { execPath } = process;
  try {
    process.execPath = '/bin/false';
    t.match(await end('/bin/true'), { code: 1, notLaunched: { step: 'start', errno: null } });
    process.execPath = execPath;
    const handle = start('/bin/true');
    handle.kill('SIGKILL');
    t.same(await handle.exited, { code: null, signal: 'SIGKILL' });
  } finally {
    process.execPath = execPath;
  }
});

t.test('takes nothing that a program itself says for its loader’s words', async (t) => {
  const words = '/acra/acra-server: error while loading shared libraries: libX.so.6: cannot open shared object file';
  t.ok(loaderFailure(127, words));
  for (const code of [0, 2, 139, null]) t.equal(loaderFailure(code, words), undefined, `exit ${code}`);
  for (const line of [
    '',
    'panic: x',
    '{"level":"error","msg":"version"}',
    `${words} $(secret) \x1b[0m`,
    'x'.repeat(5_000),
  ])
    t.equal(loaderFailure(127, line), undefined, line.slice(0, 40));
  const exit = await end('/bin/false');
  t.same(exit, { code: 1, signal: null });
});

t.test('calls what may pass by itself so, and tries again', async (t) => {
  const cases = [
    [{ step: 'make', errno: 'EAGAIN' }, 'back-off'],
    [{ step: 'execute', errno: 'ENOMEM' }, 'back-off'],
    [{ step: 'execute', errno: 'ETXTBSY' }, 'back-off'],
    [{ step: 'execute', errno: 'ENOEXEC' }, 'never'],
    [{ step: 'restrict', errno: null }, 'never'],
  ] as const;
  for (const [notLaunched, restart] of cases) {
    const { meaning, ...explained } = explain({ code: 71, signal: null, notLaunched });
    t.match(explained, { errorCode: 'ACRA_EXIT_NOT_EXECUTED', restart }, describeLaunchFailure(notLaunched));
    t.match(meaning, describeLaunchFailure(notLaunched));
  }
  const short =
    '/a: error while loading shared libraries: libc.so.6: cannot map zero-fill pages: Cannot allocate memory';
  t.match(loaderFailure(127, short), { errno: 'ENOMEM' });
});

t.test('knows musl’s loader', async (t) => {
  t.match(loaderFailure(127, 'Error loading shared library libx.so.1: No such file or directory (needed by /acra/a)'), {
    step: 'load',
    reason: /libx\.so\.1.*needed by \/acra\/a/,
  });
  t.match(loaderFailure(127, 'Error relocating /acra/a: gnu_get_libc_version: symbol not found'), { step: 'load' });
});

t.test('runs the programs of this test where they are whole', async (t) => {
  t.equal(spawnSync(ENV).status, 0);
});
