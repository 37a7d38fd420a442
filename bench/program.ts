/** Child programs of the benchmarks: started, read line by line, measured, and ended by their own handle. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { findProgram } from '../system/processes/find-program.ts';
import { cpuTimesOf, familyOf, memoryOf, threadsMs } from './proc.ts';

export interface Program {
  readonly command: string;
  readonly pid: number;
  hasEnded(): boolean;
  /** The next line that the program prints. */
  line(): Promise<string>;
  /** Closes its stdin and resolves when it has ended by itself. */
  ended(): Promise<void>;
  write(text: string): void;
  stop(): Promise<void>;
}

/** CPU time of programs and of their children, those that have ended too, in ms. */
export function cpuMs(programs: readonly Program[]): number {
  const all = programs.flatMap(({ pid }) => familyOf(pid));
  return all.reduce((sum, pid) => sum + threadsMs(pid) + cpuTimesOf(pid).reapedMs, 0);
}

/** Resident memory of programs and their children, in bytes; what they share is counted once for each. */
export function residentBytes(programs: readonly Program[]): number {
  const all = programs.flatMap(({ pid }) => familyOf(pid));
  return all.reduce((sum, pid) => sum + memoryOf(pid, 'VmRSS'), 0);
}

export function isInstalled(command: string): boolean {
  try {
    return findProgram(command) !== '';
  } catch {
    return false;
  }
}

export interface ProgramOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Nothing of what it tells its operator is shown. */
  readonly isQuiet?: boolean;
}

export function startProgram(command: string, args: readonly string[], options: ProgramOptions = {}): Program {
  const { env = process.env, isQuiet = false } = options;
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', isQuiet ? 'ignore' : 'inherit'], env });
  // That it has ended is told by its lines.
  child.stdin.on('error', () => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const exit = once(child, 'exit');
  return {
    command,
    pid: child.pid ?? 0,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
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
