/**
 * nitro-cli's three commands that a life cycle needs. Each is a short process; their output is checked strictly.
 *
 * describe-enclaves and run-enclave ask every enclave of the parent. They are never killed: a process that owns an enclave
 * exits, and ends it, when whoever asked has gone before its answer (src/enclave_proc/mod.rs, notify_error_with_conn). So a
 * deadline ends only the wait.
 */

import type { NitroCliRun } from '../../../config/enclave-run.ts';
import { untilAborted } from '../../../runtime/abort.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { Deadline } from '../../../runtime/deadline.ts';
import type { CommandOptions, CommandResult } from '../../../system/processes/run-command.ts';
import { runCommand, StartedCommand } from '../../../system/processes/run-command.ts';
import type { Cid } from '../../../wire/brands.ts';
import { EnclaveError } from '../errors.ts';
import { explainFailure } from './failures.ts';
import { endMarked, MARK_VARIABLE } from './marked-processes.ts';
import type { DescribedEnclave, RunInfo } from './replies.ts';
import { parseDescribed, parseRunInfo } from './replies.ts';

/** nitro-cli itself waits 3 s for each enclave's process; freeing an enclave's memory takes longer. */
const DESCRIBE_TIMEOUT_MS = 5_000;
const TERMINATE_TIMEOUT_MS = 30_000;
/** How long run-enclave may take to notice that the process which it started for the enclave is gone. */
const ABANDON_TIMEOUT_MS = 10_000;
const LOOK_INTERVAL_MS = 20;

/** Backtraces tell errors apart. At nitro-cli's own level, info, each call adds lines to a log that nobody rotates. */
const ENVIRONMENT = { BACKTRACE: '1', RUST_LOG: 'warn' };
/** E38 and E39: some enclaves did not answer; those that did are printed. */
const PARTIAL_CODES: readonly (number | null)[] = [38, 39];

interface Description {
  readonly enclaves: readonly DescribedEnclave[];
  /** Why there may be others. */
  readonly unsure?: EnclaveError;
}

export class NitroCli {
  readonly #program: string;
  readonly #clock: Clock;
  /** Resolves when the newest describe-enclaves has ended. */
  #described: Promise<void> = Promise.resolve();

  constructor(program: string, clock: Clock) {
    this.#program = program;
    this.#clock = clock;
  }

  /**
   * Resolves when the heartbeat has come. An abort ends the process that owns the enclave, and nitro-cli fails then.
   * @throws EnclaveError
   */
  async run(options: NitroCliRun, cid: Cid, mark: string, signal: AbortSignal): Promise<RunInfo> {
    const words = ['--eif-path', options.image, '--cpu-count', String(options.cpuCount)];
    words.push('--memory', String(options.memoryMiB), '--enclave-cid', String(cid), '--enclave-name', options.name);
    if (options.debug) words.push('--debug-mode');
    signal.throwIfAborted();
    const command = new StartedCommand(this.#options('run-enclave', words, { [MARK_VARIABLE]: mark }));
    try {
      return parseRunInfo(stdoutOf('run-enclave', await untilAborted(command.result, signal)));
    } catch (error) {
      if (signal.aborted) await this.#abandon(command, mark);
      throw error;
    }
  }

  /**
   * All enclaves of this parent that this user may see, or those that answered within 5 s. What takes longer is left to
   * finish by itself, one at most: the next call waits for it first.
   * @throws EnclaveError
   */
  async describe(): Promise<Description> {
    using deadline = this.#deadline('describe-enclaves', DESCRIBE_TIMEOUT_MS);
    let command: StartedCommand | undefined;
    try {
      await untilAborted(this.#described, deadline.signal);
      command = new StartedCommand(this.#options('describe-enclaves', []));
      this.#described = command.ended;
      return readDescription(await untilAborted(command.result, deadline.signal));
    } catch (error) {
      if (!(error instanceof EnclaveError) || error !== deadline.signal.reason) throw error;
      command?.release();
      return { enclaves: [], unsure: error };
    }
  }

  /** Not bound to a signal of the caller's: ending what runs must not be cut short. @throws EnclaveError */
  async terminate(enclaveId: string): Promise<void> {
    using deadline = this.#deadline('terminate-enclave', TERMINATE_TIMEOUT_MS);
    // Asks only the enclave that is to end: killing it does no harm.
    const options = this.#options('terminate-enclave', ['--enclave-id', enclaveId]);
    stdoutOf('terminate-enclave', await runCommand(options, deadline.signal));
  }

  async #abandon(command: StartedCommand, mark: string): Promise<void> {
    using deadline = new Deadline(this.#clock, ABANDON_TIMEOUT_MS);
    const ended = new AbortController();
    command.ended.then(() => ended.abort());
    const over = AbortSignal.any([ended.signal, deadline.signal]);
    // It may be about to start that process.
    while (!over.aborted) {
      await endMarked(mark, this.#clock);
      await this.#clock.sleep(LOOK_INTERVAL_MS, over).catch(() => undefined);
    }
    command.release();
  }

  #deadline(command: string, timeoutMs: number): Deadline {
    const late = () =>
      new EnclaveError('ENCLAVE_NITRO_CLI_FAILED', `nitro-cli ${command} does not answer`, {
        allowed: `an answer within ${timeoutMs} ms`,
      });
    return new Deadline(this.#clock, timeoutMs, undefined, late);
  }

  #options(command: string, words: readonly string[], more: Readonly<Record<string, string>> = {}): CommandOptions {
    return { program: this.#program, arguments: [command, ...words], environment: { ...ENVIRONMENT, ...more } };
  }
}

/** @throws EnclaveError */
function stdoutOf(command: string, result: CommandResult): string {
  if (result.code !== 0) throw explainFailure(command, result);
  return result.stdout;
}

/** @throws EnclaveError */
function readDescription(result: CommandResult): Description {
  if (!PARTIAL_CODES.includes(result.code)) return { enclaves: parseDescribed(stdoutOf('describe-enclaves', result)) };
  return { enclaves: parseDescribed(result.stdout), unsure: explainFailure('describe-enclaves', result) };
}
