/** Signals as they reach the command: from a service manager, a terminal, and a terminal that is gone. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, renameSync, watch, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import t, { type Test as TapTest } from 'tap';
import { PROJECT } from '../project/imports.ts';
import { processesNaming } from '../support/processes.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const EXECUTABLE = join(PROJECT, 'bin/acra-enclave');
const SCRIPT = ['/usr/bin/script', '/bin/script'].find((file) => existsSync(file));
const withoutTerminal = SCRIPT ? false : 'needs script(1), which opens a terminal';

interface Daemon {
  readonly child: ChildProcess;
  readonly logFile: string;
  readonly folder: string;
  /** Resolves when this event is in the log file. */
  untilLogged(event: string, file?: string): Promise<void>;
}

function configure(t: TapTest): { readonly folder: string; readonly file: string; readonly logFile: string } {
  const folder = temporaryFolder(t);
  const logFile = join(folder, 'host-proxy.log');
  const file = join(folder, 'host-proxy.yaml');
  const config = {
    version: 1,
    enclave: { transport: 'vsock-uds', cid: 16, path: join(folder, 'vsock') },
    ingress: { listen: 'tcp://127.0.0.1:0' },
    database: { connect: 'tcp://127.0.0.1:1' },
    kms: { connect: 'tcp://127.0.0.1:1' },
    admin: { listen: 'tcp://127.0.0.1:0' },
    runtimeFolder: join(folder, 'run'),
    logs: { file: logFile },
  };
  writeFileSync(file, JSON.stringify(config));
  return { folder, file, logFile };
}

const events = (file: string) =>
  existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .slice(0, -1)
        .map((line) => (JSON.parse(line) as { event: string }).event)
    : [];

/** Looks whenever something changes in the folder. */
function untilTrue(folder: string, child: ChildProcess, holds: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const over = () => {
      watcher.close();
      child.off('exit', onExit);
    };
    const onExit = () => {
      over();
      reject(new Error('the command ended'));
    };
    const look = () => {
      if (!holds()) return;
      over();
      resolve();
    };
    const watcher = watch(folder, look);
    child.once('exit', onExit);
    look();
  });
}

function untilLogged(child: ChildProcess, event: string, file: string): Promise<void> {
  return untilTrue(dirname(file), child, () => events(file).includes(event));
}

/** As a service manager starts it: no terminal. */
async function startDaemon(t: TapTest): Promise<Daemon> {
  const { folder, file, logFile } = configure(t);
  const child = spawn(EXECUTABLE, ['host-proxy', '--config', file], { stdio: 'ignore', detached: true });
  t.teardown(() => child.kill('SIGKILL'));
  await untilLogged(child, 'host-proxy.started', logFile);
  return { child, folder, logFile, untilLogged: (event, at = logFile) => untilLogged(child, event, at) };
}

for (const name of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) {
  t.test(`ends a daemon in order at ${name}`, async (t) => {
    const { child, logFile } = await startDaemon(t);
    child.kill(name);
    t.same(await once(child, 'exit'), [0, null]);
    t.equal(events(logFile).at(-1), 'host-proxy.stopped');
  });
}

t.test('makes a daemon without a terminal go on in a new log file at SIGHUP, and lose no line', async (t) => {
  const { child, folder, logFile, untilLogged } = await startDaemon(t);
  const rotated = join(folder, 'host-proxy.log.1');
  renameSync(logFile, rotated);
  child.kill('SIGHUP');
  await untilLogged('host-proxy.logs-reopened');
  child.kill('SIGTERM');
  t.same(await once(child, 'exit'), [0, null]);
  t.equal(events(logFile).at(-1), 'host-proxy.stopped');
  t.notOk(events(rotated).includes('host-proxy.logs-reopened'));
  t.ok(events(rotated).includes('host-proxy.started'));
});

interface InTerminal {
  readonly script: ChildProcess;
  /** Resolves when nobody holds the descriptor any more that the command was started with: it and all that it started are gone. */
  readonly gone: Promise<unknown>;
}

/** In a terminal of its own, which is gone when `script` is. */
function startInTerminal(
  t: TapTest,
  words: readonly string[],
  environment: Readonly<Record<string, string>>,
): InTerminal {
  const command = [EXECUTABLE, ...words].map((word) => `'${word}'`).join(' ');
  const script = spawn(SCRIPT ?? '', ['-q', '-e', '-c', `exec ${command}`, '/dev/null'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: undefined, ...environment },
  });
  t.teardown(() => script.kill('SIGKILL'));
  const held = script.stdio[3] as Readable;
  held.resume();
  return { script, gone: once(held, 'close') };
}

t.test(
  'ends a daemon in order when the terminal that it was started in is gone',
  { skip: withoutTerminal },
  async (t) => {
    const { file, logFile, folder } = configure(t);
    const { script, gone } = startInTerminal(t, ['host-proxy', '--config', file], {});
    await untilLogged(script, 'host-proxy.started', logFile);
    script.kill('SIGKILL');
    await gone;
    t.equal(events(logFile).at(-1), 'host-proxy.stopped');
    t.same(processesNaming(folder), []);
  },
);

t.test(
  'leaves nothing behind when the terminal of a demo that keeps running is gone',
  { skip: withoutTerminal },
  async (t) => {
    const folder = temporaryFolder(t);
    const { script, gone } = startInTerminal(t, ['demo', '--keep', '--folder', folder], { TMPDIR: folder });
    const endpoints = join(folder, 'endpoints.json');
    await untilTrue(folder, script, () => existsSync(endpoints));
    script.kill('SIGKILL');
    await gone;
    t.notOk(existsSync(endpoints), 'the demo has tidied up');
    t.same(processesNaming(folder), []);
  },
);

/** Work that never ends, in a process whose time stands still until SIGUSR2 moves it on by an hour. */
const ENDLESS = `
  let nowMs = 0;
  performance.now = () => nowMs;
  process.on('SIGUSR2', () => { nowMs += 3600_000; console.log('later'); });
  const { untilStopped } = await import(${JSON.stringify(join(PROJECT, 'cli/until-signal.ts'))});
  setInterval(() => undefined, 1e6);
  await untilStopped((signal) => {
    signal.addEventListener('abort', () => console.log(signal.reason.message));
    console.log('running');
    return new Promise(() => undefined);
  });
`;

for (const second of ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP'] as const) {
  t.test(`ends at once at ${second} a while after the first signal, and not right behind it`, async (t) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', ENDLESS], {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, NODE_OPTIONS: undefined },
    });
    t.teardown(() => child.kill('SIGKILL'));
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const next = async () => (await lines.next()).value;
    t.equal(await next(), 'running');
    child.kill('SIGTERM');
    t.equal(await next(), 'received SIGTERM');
    child.kill(second);
    child.kill('SIGUSR2');
    t.equal(await next(), 'later', 'it still runs');
    child.kill(second);
    t.same(await once(child, 'exit'), [130, null]);
  });
}
