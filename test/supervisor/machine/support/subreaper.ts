/**
 * A process that inherits the orphans of its descendants, as PID 1 does (prctl(2), PR_SET_CHILD_SUBREAPER), and takes their
 * exits with the reaper under test. The test process itself stays as it is. argv[2] names what happens; the report is one
 * line of JSON on standard output.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import koffi from 'koffi';
import { whenAborted } from '../../../../runtime/abort.ts';
import { OrphanReaper } from '../../../../supervisor/machine/orphans.ts';
import { markOwnChild } from '../../../../system/processes/own-children.ts';
import { seededRandom } from '../../../support/seeded-random.ts';

/** linux/prctl.h */
const PR_SET_CHILD_SUBREAPER = 36;
/** sys/wait.h */
const P_PID = 1;
const WEXITED = 4;
const WNOWAIT = 0x0100_0000;
/** Nothing in here takes so long; who waits longer reports what there is. */
const patience = AbortSignal.timeout(10_000);

const library = koffi.load(null);
const waitid = library.func('int waitid(int kind, int id, void *info, int options)');

const reaped: string[] = [];
let onReaped: () => void = () => undefined;
const reaper = new OrphanReaper({
  log: (_level, event, fields) => {
    if (event === 'machine.orphan-reaped') reaped.push(Object.keys(fields ?? {}).join());
    onReaped();
  },
});

/** Resolves once so many orphans were reaped, or patience ends. */
async function untilReaped(count: number): Promise<void> {
  await new Promise<void>((resolve) => {
    patience.addEventListener('abort', () => resolve());
    onReaped = () => {
      if (reaped.length >= count) resolve();
    };
    onReaped();
  });
}

/** A child that Node waits for. */
function startOwn(script: string) {
  const child = markOwnChild(spawn('/bin/sh', ['-c', script], { stdio: 'ignore' }));
  const exited = once(child, 'exit').then(([code]) => Number(code));
  return { pid: child.pid ?? 0, exited };
}

const patient = <Result>(promise: Promise<Result>) =>
  Promise.race([promise, whenAborted(patience).then(() => undefined)]);

function stateOf(pid: number): string | undefined {
  try {
    return /^State:\s+(\S)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}

/** Waits without turning the event loop, so that Node has no chance to take the exit first, and leaves the zombie there. */
function blockUntilZombie(pid: number): void {
  const siginfo = Buffer.alloc(128);
  if (waitid(P_PID, pid, siginfo, WEXITED | WNOWAIT) !== 0) throw new Error(`waitid ${pid}: errno ${koffi.errno()}`);
}

function childrenOfMine(): readonly { readonly pid: number; readonly state: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const text = readFileSync(`/proc/${name}/status`, 'utf8');
        const parent = Number(/^PPid:\s+(\d+)/m.exec(text)?.[1]);
        return parent === process.pid ? [{ pid: Number(name), state: stateOf(Number(name)) ?? 'gone' }] : [];
      } catch {
        return [];
      }
    });
}

/** `count` processes whose parent ends at once. */
const orphans = (count: number, work = ':') =>
  `i=0; while [ $i -lt ${count} ]; do ( ${work} & ); i=$((i+1)); done; exit 3`;

const SCENARIOS: Readonly<Record<string, (argument: string) => Promise<object>>> = {
  /** argv[3]: how many. */
  async storm(argument) {
    const { exited } = startOwn(orphans(Number(argument)));
    const exitCode = await patient(exited);
    await untilReaped(Number(argument));
    return { exitCode };
  },

  /** They live on for a while after their parent has ended: all end together. */
  async together(argument) {
    const child = spawn('/bin/sh', ['-c', orphans(Number(argument), 'read line <&3')], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    });
    const exited = once(markOwnChild(child), 'exit');
    const [exitCode] = (await patient(exited)) ?? [];
    const before = reaped.length;
    const alive = childrenOfMine().length;
    child.stdio[3]?.destroy();
    await untilReaped(Number(argument));
    return { exitCode, before, alive };
  },

  /** argv[3]: the seed that decides what is started when. */
  async mixed(seed) {
    const plan = [...seededRandom(seed).bytes(200)];
    const codes: (number | undefined)[] = [];
    const running = plan.map(async (byte, index) => {
      codes[index] = await patient(
        startOwn(byte % 2 === 0 ? `( exit ${byte} & ); exit ${byte}` : `exit ${byte}`).exited,
      );
    });
    await Promise.all(running);
    const expectedOrphans = plan.filter((byte) => byte % 2 === 0).length;
    await untilReaped(expectedOrphans);
    return { plan, codes, expectedOrphans };
  },

  /** Both an own child and an orphan have ended, and the reaper looks before Node does. */
  async first() {
    const own = startOwn('exit 42');
    blockUntilZombie(own.pid);
    const stateBefore = stateOf(own.pid);
    reaper.reapAll();
    const stateAfter = stateOf(own.pid);
    const exitCode = await patient(own.exited);
    return { stateBefore, stateAfter, exitCode };
  },

  /** One orphan before the reaper stops, one after. */
  async stop() {
    const listening = process.listenerCount('SIGCHLD');
    await patient(startOwn(orphans(1)).exited);
    await untilReaped(1);
    await reaper.stop();
    const left = process.listenerCount('SIGCHLD');
    await patient(startOwn(orphans(1)).exited);
    const [orphan] = childrenOfMine();
    blockUntilZombie(orphan?.pid ?? 0);
    await new Promise((resolve) => setImmediate(resolve));
    return { listening, left, afterStop: childrenOfMine().map(({ state }) => state) };
  },
};

// Neither signals nor unsettled promises keep a process alive; an open port does, until the exit at the end.
new MessageChannel().port1.ref();
const setSubreaper = library.func('int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)');
if (setSubreaper(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) !== 0) throw new Error('prctl failed');
const listenersBefore = process.listenerCount('SIGCHLD');
await reaper.start(new AbortController().signal);
const [, , scenario = '', argument = ''] = process.argv;
const report = (await SCENARIOS[scenario]?.(argument)) ?? {};
const zombies = childrenOfMine().length;
await reaper.stop();
console.log(
  JSON.stringify({
    ...report,
    reaped: reaper.reaped,
    fields: [...new Set(reaped)],
    zombies,
    listenersBefore,
    listenersAfter: process.listenerCount('SIGCHLD'),
  }),
);
// A child whose exit was stolen would keep the process waiting for ever.
process.exit();
