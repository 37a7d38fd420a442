/** Runs a short command to its end and keeps what it said. */
import { spawn } from 'node:child_process';
import { markOwnChild } from '../../../runtime/own-children.ts';
import { EnclaveError } from '../errors.ts';
import { findProgram } from './find-program.ts';

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

/**
 * An abort ends the command with SIGKILL, and the promise rejects with the signal's reason once it is gone.
 * @throws EnclaveError ENCLAVE_PROGRAM_MISSING
 */
export async function runCommand(options: CommandOptions, signal: AbortSignal): Promise<CommandResult> {
  signal.throwIfAborted();
  const program = findProgram(options.program);
  const child = markOwnChild(
    spawn(program, options.arguments, {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      env: { ...process.env, ...options.environment },
    }),
  );
  const [stdout, stderr] = [new Collected(), new Collected()];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  const kill = () => {
    child.kill('SIGKILL');
    // A process that it left behind may keep the pipes open; `close` need not wait for it.
    child.stdout.destroy();
    child.stderr.destroy();
  };
  signal.addEventListener('abort', kill, { once: true });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', (cause) =>
        reject(new EnclaveError('ENCLAVE_PROGRAM_MISSING', `cannot start ${program}`, { cause })),
      );
      child.once('close', resolve);
    });
    signal.throwIfAborted();
    return { code, stdout: stdout.toString(), stderr: stderr.toString() };
  } finally {
    signal.removeEventListener('abort', kill);
  }
}
