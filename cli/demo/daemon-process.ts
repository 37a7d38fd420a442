/** One of the product's daemons as a process of its own: started like a user would, its output kept in a log file. */

import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { CliError } from '../errors.ts';

const EXECUTABLE = fileURLToPath(new URL('../../bin/acra-enclave', import.meta.url));

export interface DaemonOptions {
  readonly name: string;
  readonly arguments: readonly string[];
  readonly logFile: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** A program and its words that becomes the daemon, such as `ip netns exec NAME`. Default: none. */
  readonly through?: readonly string[];
}

export interface DaemonExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class DaemonProcess {
  readonly name: string;
  readonly logFile: string;
  readonly exited: Promise<DaemonExit>;
  readonly #child: ChildProcess;
  readonly #waiters = new Map<string, (record: Record<string, unknown>) => void>();
  #exit: DaemonExit | undefined;

  constructor(options: DaemonOptions) {
    this.name = options.name;
    this.logFile = options.logFile;
    // In a process group of its own: Ctrl-C in a terminal reaches the demo, which then stops its parts in order.
    const [program = EXECUTABLE, ...words] = [...(options.through ?? []), EXECUTABLE, ...options.arguments];
    this.#child = spawn(program, words, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.environment },
      detached: true,
    });
    const log = createWriteStream(options.logFile, { flags: 'a', mode: 0o600 });
    const killWithUs = () => this.#child.kill('SIGKILL');
    process.on('exit', killWithUs);
    this.exited = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        process.off('exit', killWithUs);
        this.#exit = { code, signal };
        log.end(() => resolve({ code, signal }));
      });
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (!stream) continue;
      stream.pipe(log, { end: false });
      createInterface({ input: stream }).on('line', (line) => this.#readLine(line));
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get exit(): DaemonExit | undefined {
    return this.#exit;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Resolves with the first log record that has this event name. @throws CliError CLI_PROCESS_ENDED */
  untilEvent(event: string): Promise<Record<string, unknown>> {
    const seen = new Promise<Record<string, unknown>>((resolve) => this.#waiters.set(event, resolve));
    const ended = this.exited.then(({ code, signal }) => {
      throw new CliError('CLI_PROCESS_ENDED', `${this.name} ended before it logged ${event}`, {
        found: `exit code ${code}, signal ${signal}`,
        action: `Read ${this.logFile}.`,
      });
    });
    ended.catch(() => undefined);
    return Promise.race([seen, ended]);
  }

  /** SIGTERM, then SIGKILL after the grace. */
  async stop(graceMs = 20_000): Promise<DaemonExit> {
    this.kill('SIGTERM');
    const timer = setTimeout(() => this.kill('SIGKILL'), graceMs);
    try {
      return await this.exited;
    } finally {
      clearTimeout(timer);
    }
  }

  #readLine(line: string): void {
    if (!line.startsWith('{')) return;
    try {
      const record = JSON.parse(line) as Record<string, unknown>;
      const event = record['event'];
      if (typeof event !== 'string' || record['source'] === 'enclave') return;
      this.#waiters.get(event)?.(record);
      this.#waiters.delete(event);
    } catch {
      // A line that is no record is in the log file all the same.
    }
  }
}
