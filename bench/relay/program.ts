/** Child programs of the benchmarks: started, read line by line, and ended by their own handle. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

export interface Program {
  /** The next line that the program prints. */
  line(): Promise<string>;
  /** Closes its stdin and resolves when it has ended by itself. */
  ended(): Promise<void>;
  write(text: string): void;
  /** CPU time of the program and of its children that have ended, in milliseconds; 10 ms steps. */
  cpuMs(): number;
  stop(): Promise<void>;
}

/** proc_pid_stat(5): utime, stime, cutime and cstime are fields 14 to 17, in ticks of 10 ms. */
function readCpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) * 10, 0);
}

export function startProgram(command: string, args: readonly string[], env = process.env): Program {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const exit = once(child, 'exit');
  return {
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
    cpuMs: () => readCpuMs(child.pid ?? 0),
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
