/**
 * What /proc tells of processes, of which any may end at any time: proc_pid_stat(5), proc_pid_status(5), proc_tid_children(5), proc_pid_fd(5),
 * proc_net(5).
 */
import { globSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

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

/** Or the title that it gave itself, as one; none of one that is gone. */
export function argumentsOf(pid: number): string[] {
  return read(`/proc/${pid}/cmdline`).replace(/\0+$/, '').split('\0');
}

/** Its arguments, or the title that it gave itself; empty of one that is gone. */
export function commandOf(pid: number): string {
  return argumentsOf(pid).join(' ').trimEnd();
}

/** It and all that it has started and that still run. */
export function familyOf(pid: number): number[] {
  const children = globSync(`/proc/${pid}/task/*/children`).flatMap((file) => read(file).trim().split(' '));
  return [pid, ...children.filter(Boolean).flatMap((child) => familyOf(Number(child)))];
}

/** 0 of one that is gone. */
function statusOf(pid: number, field: 'VmRSS' | 'VmHWM' | 'Threads'): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(read(`/proc/${pid}/status`))?.[1] ?? 0);
}

/** Bytes. @param field VmRSS: resident; VmHWM: the most of that. A child that has not replaced its parent's program yet has the parent's memory */
export function memoryOf(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  return 1024 * statusOf(pid, field);
}

export function threadCountOf(pid: number): number {
  return statusOf(pid, 'Threads');
}

/** What each descriptor that it has is of, as its link tells it. */
export function openFilesOf(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).flatMap((fd) => {
      try {
        return [readlinkSync(`${folder}/${fd}`)];
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
}

/** All unix sockets of the machine, as links of descriptors name them: by their inode, the seventh word of a line. */
export function unixSockets(): ReadonlySet<string> {
  const lines = read('/proc/net/unix').split('\n').slice(1);
  return new Set(lines.map((line) => `socket:[${line.trim().split(/\s+/)[6] ?? ''}]`));
}
