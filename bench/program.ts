/** Child programs of the benchmarks: started, read line by line, measured, and ended by their own handle. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

export interface Program {
  readonly pid: number;
  /** The next line that the program prints. */
  line(): Promise<string>;
  /** Closes its stdin and resolves when it has ended by itself. */
  ended(): Promise<void>;
  write(text: string): void;
  stop(): Promise<void>;
}

const read = (path: string): string => {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
};

/** proc_pid_stat(5): cutime and cstime are fields 16 and 17, in ticks of 10 ms. */
function reapedMs(pid: number): number {
  const stat = read(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return 10 * (Number(fields[13] ?? 0) + Number(fields[14] ?? 0));
}

/** It and all that it has started. */
function family(pid: number): number[] {
  const children = globSync(`/proc/${pid}/task/*/children`).flatMap((file) => read(file).trim().split(' '));
  return [pid, ...children.filter(Boolean).flatMap((child) => family(Number(child)))];
}

/** schedstat: the first number is the time on a processor, in ns, which /proc/PID/stat rounds to 10 ms. */
function aliveMs(pid: number): number {
  return globSync(`/proc/${pid}/task/*/schedstat`).reduce(
    (sum, file) => sum + Number(read(file).split(' ')[0]) / 1e6,
    0,
  );
}

/** CPU time of programs and of their children, those that have ended too, in ms. */
export function cpuMs(programs: readonly Program[]): number {
  const all = programs.flatMap(({ pid }) => family(pid));
  return all.reduce((sum, pid) => sum + aliveMs(pid) + reapedMs(pid), 0);
}

/** Resident memory of programs and their children, in bytes; what they share is counted once for each. */
export function residentBytes(programs: readonly Program[]): number {
  const all = programs.flatMap(({ pid }) => family(pid));
  return all.reduce((sum, pid) => sum + 1024 * Number(/VmRSS:\s+(\d+)/.exec(read(`/proc/${pid}/status`))?.[1] ?? 0), 0);
}

export function startProgram(command: string, args: readonly string[], env = process.env): Program {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const exit = once(child, 'exit');
  return {
    pid: child.pid ?? 0,
    async line() {
      const next = await lines.next();
      if (next.done) throw new Error(`${command} ${args.join(' ')} ended without a word`);
      return next.value;
    },
    async ended() {
      child.stdin.end();
      await exit;
    },
    write(text) {
      child.stdin.write(text);
    },
    async stop() {
      child.kill('SIGKILL');
      await exit;
    },
  };
}

/** One of the TypeScript programs of this folder. */
export function startScript(name: string, ...args: readonly string[]): Program {
  return startProgram(process.execPath, [new URL(name, import.meta.url).pathname, ...args]);
}
