/** Runs a program to its end and tells how long it took and how much memory it and its children had. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

export interface Cost {
  /** From start to exit. */
  readonly seconds: number;
  /** Of the program and of its children that have ended; what the last 25 ms add is missing. */
  readonly cpuSeconds: number;
  /** Largest resident set of the program itself. */
  readonly peakBytes: number;
  /** Largest resident set of any one child. */
  readonly childPeakBytes: number;
  /** Largest sum over the program and its children at one time; pages that they share count twice. */
  readonly treePeakBytes: number;
}

const SAMPLE_MS = 25;

/** @throws Error when it does not end with 0 */
export async function measureProcess(command: string, args: readonly string[], env = process.env): Promise<Cost> {
  const start = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], env });
  let errors = '';
  child.stderr.on('data', (text: Buffer) => {
    errors += text.toString();
  });
  const exit = once(child, 'close');
  const peaks = { cpuSeconds: 0, peakBytes: 0, childPeakBytes: 0, treePeakBytes: 0 };
  const sampling = setInterval(() => sample(child.pid ?? 0, peaks), SAMPLE_MS);
  try {
    const [code] = await exit;
    if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}: ${errors}`);
    return { seconds: (performance.now() - start) / 1000, ...peaks };
  } finally {
    clearInterval(sampling);
  }
}

type Peaks = { -readonly [Key in Exclude<keyof Cost, 'seconds'>]: number };

function sample(root: number, peaks: Peaks): void {
  let sum = 0;
  peaks.cpuSeconds = Math.max(peaks.cpuSeconds, cpuSecondsOf(root));
  for (const pid of tree(root)) {
    const { residentBytes, peakBytes } = memoryOf(pid);
    sum += residentBytes;
    const key = pid === root ? 'peakBytes' : 'childPeakBytes';
    peaks[key] = Math.max(peaks[key], peakBytes);
  }
  peaks.treePeakBytes = Math.max(peaks.treePeakBytes, sum);
}

/** proc_tid_children(5): those that the main thread started, which is all of them in Node. */
function tree(pid: number): readonly number[] {
  const children = textOf(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean);
  return [pid, ...children.flatMap((child) => tree(Number(child)))];
}

/** proc_pid_status(5). A child that has not replaced its parent's program yet has the parent's memory, and no peak of its own. */
function memoryOf(pid: number): { readonly residentBytes: number; readonly peakBytes: number } {
  const status = textOf(`/proc/${pid}/status`);
  const bytes = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1024;
  return { residentBytes: bytes('VmRSS'), peakBytes: bytes('VmHWM') };
}

/** Processes end at any time. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** proc_pid_stat(5): utime, stime, cutime and cstime are fields 14 to 17, in ticks of 10 ms. */
function cpuSecondsOf(pid: number): number {
  const stat = textOf(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) / 100, 0);
}
