/**
 * Processor time of each process on a statement's way, from /proc (proc_pid_stat(5)): what else the machine does is not in it. Of the
 * client and the database with what their processes had that have ended.
 */
import { readdirSync, readFileSync } from 'node:fs';
import type { Stack } from '../../cli/demo/stack.ts';
import { childPid } from '../../test/support/stack.ts';

/** sysconf(_SC_CLK_TCK): 100 on every Linux that Node runs on. */
const TICK_US = 10_000;

export const PROCESSES = ['client', 'host-proxy', 'supervisor', 'front', 'guard', 'acra-server', 'database'] as const;
export type ProcessName = (typeof PROCESSES)[number];
export type CpuUs = Readonly<Record<ProcessName, number>>;

interface Stat {
  readonly parentPid: number;
  readonly ownUs: number;
  /** Of children that have ended. */
  readonly reapedUs: number;
}

/** Undefined for a process that is gone. */
function statOf(pid: number | 'self'): Stat | undefined {
  let text = '';
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // Behind the name, which may hold anything: state, parent, …
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const ticks = (from: number) => (fields[from] ?? 0) + (fields[from + 1] ?? 0);
  return { parentPid: fields[1] ?? 0, ownUs: TICK_US * ticks(11), reapedUs: TICK_US * ticks(13) };
}

function withChildrenUs(pid: number): number {
  const whole = ({ ownUs, reapedUs }: Stat) => ownUs + reapedUs;
  const stats = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => statOf(Number(name)) ?? []);
  const children = stats.filter(({ parentPid }) => parentPid === pid);
  const own = statOf(pid);
  return (own ? whole(own) : 0) + children.reduce((sum, each) => sum + whole(each), 0);
}

/** @param acraPid the one that is measured: of the enclave, or a bare one */
export function readCpu(stack: Stack, acraPid: number): CpuUs {
  const own = (pid = 0) => statOf(pid)?.ownUs ?? 0;
  const { hostProxy, supervisor } = stack.enclave;
  return {
    client: statOf('self')?.reapedUs ?? 0,
    'host-proxy': own(hostProxy?.pid),
    supervisor: own(supervisor?.pid),
    front: own(childPid(stack.enclave, 'front')),
    guard: own(childPid(stack.enclave, 'guard')),
    'acra-server': own(acraPid),
    database: withChildrenUs(stack.parts.postgres.pid),
  };
}

export function sinceUs(before: CpuUs, after: CpuUs): CpuUs {
  return Object.fromEntries(PROCESSES.map((name) => [name, after[name] - before[name]])) as Record<ProcessName, number>;
}
