/** Runs a short command to its end and keeps what it said. */
import type { ChildProcessByStdio } from 'node:child_process';
import { spawn } from 'node:child_process';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { SystemError } from '../errors.ts';
import { findProgram } from './find-program.ts';
import { markOwnChild } from './own-children.ts';

const MAX_OUTPUT_BYTES = 1024 * 1024;

export interface CommandResult {
  /** null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly program: string;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** Output beyond 1 MiB is dropped: no command here has so much to say. */
class Collected {
  #parts: Buffer[] = [];
  #length = 0;

  push(chunk: Buffer): void {
    this.#length += chunk.length;
    if (this.#length <= MAX_OUTPUT_BYTES) this.#parts.push(chunk);
  }

  toString(): string {
    return Buffer.concat(this.#parts).toString('utf8');
  }
}

/** A command that runs, for whoever must not simply kill it. */
export class StartedCommand {
  /** Rejects with SystemError ENCLAVE_PROGRAM_MISSING. */
  readonly result: Promise<CommandResult>;
  /** Resolves when the command has ended, whatever came of it. */
  readonly ended: Promise<void>;
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;

  /** @throws SystemError ENCLAVE_PROGRAM_MISSING */
  constructor(options: CommandOptions) {
    const program = findProgram(options.program);
    this.#child = markOwnChild(
      spawn(program, options.arguments, {
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
        env: { ...process.env, ...options.environment },
      }),
    );
    this.result = this.#collect(program);
    this.ended = this.result.then(
      () => undefined,
      () => undefined,
    );
  }

  /** With SIGKILL. A process that it left behind may keep the pipes open; `result` need not wait for it. */
  kill(): void {
    this.#child.kill('SIGKILL');
    this.#child.stdout.destroy();
    this.#child.stderr.destroy();
  }

  /** Lets it finish by itself: nothing here waits for it any longer, not even the end of this daemon. */
  release(): void {
    this.#child.unref();
    for (const pipe of [this.#child.stdout, this.#child.stderr]) if (pipe instanceof Socket) pipe.unref();
  }

  async #collect(program: string): Promise<CommandResult> {
    const [stdout, stderr] = [new Collected(), new Collected()];
    this.#child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    this.#child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    const code = await new Promise<number | null>((resolve, reject) => {
      this.#child.once('error', (cause) =>
        reject(new SystemError('ENCLAVE_PROGRAM_MISSING', `cannot start ${program}`, { cause })),
      );
      this.#child.once('close', resolve);
    });
    return { code, stdout: stdout.toString(), stderr: stderr.toString() };
  }
}

/**
 * An abort ends the command with SIGKILL, and the promise rejects with the signal's reason once it is gone.
 * @throws SystemError ENCLAVE_PROGRAM_MISSING
 */
export async function runCommand(options: CommandOptions, signal: AbortSignal): Promise<CommandResult> {
  signal.throwIfAborted();
  const command = new StartedCommand(options);
  const kill = () => command.kill();
  signal.addEventListener('abort', kill, { once: true });
  try {
    const result = await command.result;
    signal.throwIfAborted();
    return result;
  } finally {
    signal.removeEventListener('abort', kill);
  }
}
