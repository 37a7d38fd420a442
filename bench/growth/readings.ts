/** What each process on a session's way holds of the machine. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { EnclavePair } from '../../cli/demo/enclave-pair.ts';
import { argumentsOf, familyOf, memoryOf, openFilesOf, threadCountOf, unixSockets } from '../proc.ts';

export const THEIRS = 'acra-server';

export interface Reading {
  readonly pid: number;
  readonly residentKib: number;
  readonly descriptors: number;
  readonly threads: number;
  readonly unixSockets: number;
}
/** By the name of the process. */
export type Readings = Readonly<Record<string, Reading>>;
export type Pids = Readonly<Record<string, number>>;

/** Of the chain, anew each time: what ends is started again. 0: is not there. */
export function pidsOf({ hostProxy, supervisor }: EnclavePair): Pids {
  const children = familyOf(supervisor?.pid ?? 0).slice(1);
  const commands = children.map((pid) => ({ pid, words: argumentsOf(pid) }));
  const called = (isIt: (words: readonly string[]) => boolean) => commands.find(({ words }) => isIt(words))?.pid ?? 0;
  const main = (name: string) => called((words) => words.some((word) => word.endsWith(`${name}/main.ts`)));
  return {
    'host-proxy': hostProxy?.pid ?? 0,
    supervisor: supervisor?.pid ?? 0,
    front: main('sessions/front'),
    guard: main('sessions/guard'),
    [THEIRS]: main('emulator/acra-server') || called(([program = '']) => program.endsWith(THEIRS)),
  };
}

function readingOf(pid: number, sockets: ReadonlySet<string>): Reading {
  const open = openFilesOf(pid);
  return {
    pid,
    residentKib: memoryOf(pid, 'VmRSS') / 1024,
    descriptors: open.length,
    threads: threadCountOf(pid),
    unixSockets: open.filter((file) => sockets.has(file)).length,
  };
}

export function readingsOf(pids: Pids): Readings {
  const sockets = unixSockets();
  return Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, readingOf(pid, sockets)]));
}

const LOOK_MS = 250;
const QUIET_MS = 2_000;
/** Connections that end by a time-out of either side go last. */
const SETTLE_MS = 60_000;

const heldIn = (readings: Readings) =>
  Object.values(readings)
    .map(({ descriptors, unixSockets }) => `${descriptors} ${unixSockets}`)
    .join();

/** Waits until as much is held as in `before`, or until nothing changes; then, or when waiting makes no sense any more, @returns what there is */
export async function settled(pids: () => Pids, before?: Readings): Promise<Readings> {
  const untilMs = performance.now() + SETTLE_MS;
  for (let last = before && heldIn(before); ; ) {
    const readings = readingsOf(pids());
    if (heldIn(readings) === last || performance.now() > untilMs) return readings;
    if (!before) last = heldIn(readings);
    await sleep(before ? LOOK_MS : QUIET_MS);
  }
}
