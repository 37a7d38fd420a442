/**
 * A long-lived process that must not outlive this daemon, not even one that was killed with SIGKILL: it is started through
 * setpriv(1), which asks the kernel for PR_SET_PDEATHSIG (prctl(2)) before it becomes the program. It has a session of its
 * own, so that Ctrl-C in a terminal reaches the daemon alone, which then stops everything in order.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import type { Clock } from '../../runtime/clock.ts';
import { SystemError } from '../errors.ts';
import { TextLines } from '../lines/text-lines.ts';
import { findProgram } from './find-program.ts';
import { markOwnChild } from './own-children.ts';

export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface TetheredOptions {
  /** A path, or a name that is looked for in PATH. */
  readonly program: string;
  readonly arguments: readonly string[];
  /** Lines of standard output and standard error, safe to show. */
  readonly onLine: (line: string) => void;
}

export class TetheredChild {
  readonly name: string;
  /** Resolves when the process is gone and all that it wrote was told. */
  readonly exited: Promise<ChildExit>;
  readonly #child: ChildProcess;

  private constructor(name: string, child: ChildProcess, onLine: (line: string) => void) {
    this.name = name;
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      const lines = new TextLines(onLine);
      stream?.on('data', (chunk: Buffer) => lines.push(chunk));
      stream?.on('end', () => lines.end());
    }
    this.exited = new Promise((resolve) => {
      child.once('close', (code, signal) => resolve({ code, signal }));
    });
  }

  /** @throws SystemError ENCLAVE_PROGRAM_MISSING */
  static async launch(options: TetheredOptions): Promise<TetheredChild> {
    const program = findProgram(options.program);
    const words = ['--pdeathsig', 'KILL', '--', program, ...options.arguments];
    const child = markOwnChild(
      spawn(findProgram('setpriv'), words, { stdio: ['ignore', 'pipe', 'pipe'], detached: true }),
    );
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (cause) =>
        reject(new SystemError('ENCLAVE_PROGRAM_MISSING', `cannot start ${program}`, { cause })),
      );
    });
    return new TetheredChild(program, child, options.onLine);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get hasExited(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  kill(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.#child.kill(signal);
  }

  /** SIGTERM, then SIGKILL after the grace; resolves when it is gone. */
  async stop(clock: Clock, graceMs: number): Promise<ChildExit> {
    const gone = new AbortController();
    this.kill('SIGTERM');
    clock.sleep(graceMs, gone.signal).then(
      () => this.kill('SIGKILL'),
      () => undefined,
    );
    const exit = await this.exited;
    gone.abort();
    return exit;
  }
}

export function describeExit({ code, signal }: ChildExit): string {
  return signal === null ? `exit code ${code}` : `signal ${signal}`;
}
