/** What /proc tells of processes, of which any may end at any time: proc_pid_stat(5), proc_pid_status(5), proc_tid_children(5). */
import { globSync, readFileSync } from 'node:fs';

/** sysconf(_SC_CLK_TCK): 100 on every Linux that Node runs on. */
const TICK_MS = 10;

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

export interface CpuTimes {
  /** Of the process, in steps of 10 ms. */
  readonly ownMs: number;
  /** Of children that have ended and were waited for. */
  readonly reapedMs: number;
}

/** Both 0 of a process that is gone. */
export function cpuTimesOf(pid: number | 'self'): CpuTimes {
  const stat = read(`/proc/${pid}/stat`);
  // Behind the name, which may hold anything: state, parent, …; utime, stime, cutime and cstime are fields 14 to 17 of all.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ms = (at: number) => TICK_MS * (Number(fields[at] ?? 0) + Number(fields[at + 1] ?? 0));
  return { ownMs: ms(11), reapedMs: ms(13) };
}

/** Of all its threads, to the nanosecond: the first number of schedstat. */
export function threadsMs(pid: number | 'self'): number {
  const files = globSync(`/proc/${pid}/task/*/schedstat`);
  return files.reduce((sum, file) => sum + Number(read(file).split(' ')[0]) / 1e6, 0);
}

/** Its arguments, or the title that it gave itself; empty of one that is gone. */
export function commandOf(pid: number): string {
  return read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trimEnd();
}

/** It and all that it has started and that still run. */
export function familyOf(pid: number): number[] {
  const children = globSync(`/proc/${pid}/task/*/children`).flatMap((file) => read(file).trim().split(' '));
  return [pid, ...children.filter(Boolean).flatMap((child) => familyOf(Number(child)))];
}

/** @param field VmRSS: resident; VmHWM: the most of that. A child that has not replaced its parent's program yet has the parent's memory */
export function memoryOf(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const status = read(`/proc/${pid}/status`);
  return 1024 * Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0);
}
