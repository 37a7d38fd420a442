/** A program of an example that serves HTTP, as a process of its own with its output in a file. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { systemClock } from '../../runtime/clock.ts';

const POLL_MS = 50;

export interface WebProgramOptions {
  readonly command: readonly [string, ...string[]];
  readonly environment: Readonly<Record<string, string>>;
  readonly logFile: string;
  readonly folder: string;
}

export class WebProgram {
  readonly #child: ChildProcess;

  constructor({ command: [program, ...words], environment, logFile, folder }: WebProgramOptions) {
    const log = openSync(logFile, 'a', 0o600);
    this.#child = spawn(program, words, {
      cwd: folder,
      env: { ...process.env, ...environment },
      stdio: ['ignore', log, log],
    });
  }

  /** Until anything answers. @throws Error when the program has ended */
  async untilAnswering(url: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      if (
        await fetch(url, { signal }).then(
          () => true,
          () => false,
        )
      )
        return;
      if (this.#child.exitCode !== null)
        throw new Error(`${this.#child.spawnfile} ended with code ${this.#child.exitCode}`);
      await systemClock.sleep(POLL_MS, signal);
    }
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
  }
}
