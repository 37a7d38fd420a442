/** nitro-cli's four commands that a life cycle needs. Each is a short process; their output is checked strictly. */

import type { Cid } from '../../../config/brands.ts';
import type { NitroCliRun } from '../../../config/enclave-run.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { Deadline } from '../../../runtime/deadline.ts';
import type { CommandResult } from '../process/run-command.ts';
import { runCommand } from '../process/run-command.ts';
import { explainFailure } from './failures.ts';
import { MARK_VARIABLE } from './marked-processes.ts';
import type { DescribedEnclave, RunInfo } from './replies.ts';
import { parseDescribed, parseRunInfo } from './replies.ts';

/** nitro-cli itself waits 3 s for each enclave's process; freeing an enclave's memory takes longer. */
const DESCRIBE_TIMEOUT_MS = 5_000;
const TERMINATE_TIMEOUT_MS = 30_000;

export class NitroCli {
  readonly #program: string;
  readonly #clock: Clock;

  constructor(program: string, clock: Clock) {
    this.#program = program;
    this.#clock = clock;
  }

  /** Resolves when the heartbeat has come. @throws EnclaveError */
  async run(options: NitroCliRun, cid: Cid, mark: string, signal: AbortSignal): Promise<RunInfo> {
    const words = ['--eif-path', options.image, '--cpu-count', String(options.cpuCount)];
    words.push('--memory', String(options.memoryMiB), '--enclave-cid', String(cid), '--enclave-name', options.name);
    if (options.debug) words.push('--debug-mode');
    return parseRunInfo(await this.#call('run-enclave', words, { [MARK_VARIABLE]: mark }, signal));
  }

  /** All enclaves of this parent that this user may see. @throws EnclaveError */
  async describe(signal: AbortSignal): Promise<readonly DescribedEnclave[]> {
    using deadline = new Deadline(this.#clock, DESCRIBE_TIMEOUT_MS, signal);
    return parseDescribed(await this.#call('describe-enclaves', [], {}, deadline.signal));
  }

  /** Not bound to a signal of the caller's: ending what runs must not be cut short. @throws EnclaveError */
  async terminate(enclaveId: string): Promise<void> {
    using deadline = new Deadline(this.#clock, TERMINATE_TIMEOUT_MS);
    await this.#call('terminate-enclave', ['--enclave-id', enclaveId], {}, deadline.signal);
  }

  async #call(
    command: string,
    words: readonly string[],
    environment: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<string> {
    const result: CommandResult = await runCommand(
      { program: this.#program, arguments: [command, ...words], environment: { BACKTRACE: '1', ...environment } },
      signal,
    );
    if (result.code !== 0) throw explainFailure(command, result);
    return result.stdout;
  }
}
