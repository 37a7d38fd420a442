/** Runs a program to its end and tells how long it took and how much memory it and its children had. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpuTimesOf, familyOf, memoryOf } from '../proc.ts';

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
  const { ownMs, reapedMs } = cpuTimesOf(root);
  peaks.cpuSeconds = Math.max(peaks.cpuSeconds, (ownMs + reapedMs) / 1_000);
  for (const pid of familyOf(root)) {
    sum += memoryOf(pid, 'VmRSS');
    const key = pid === root ? 'peakBytes' : 'childPeakBytes';
    peaks[key] = Math.max(peaks[key], memoryOf(pid, 'VmHWM'));
  }
  peaks.treePeakBytes = Math.max(peaks.treePeakBytes, sum);
}
