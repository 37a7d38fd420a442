/**
 * One enclave that nitro-cli started. nitro-cli tells of its end only when asked, so it is asked twice a second; in debug
 * mode its console is read too.
 */
import type { Cid } from '../../../config/brands.ts';
import type { NitroCliRun } from '../../../config/enclave-run.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { describeError } from '../../../runtime/errors.ts';
import type { Logger } from '../../../runtime/log.ts';
import type { ConsoleSink, EnclaveEnd, RunningEnclave } from '../driver.ts';
import { EnclaveError } from '../errors.ts';
import { TetheredChild } from '../process/tethered-child.ts';
import type { NitroCli } from './cli.ts';
import { endMarked } from './marked-processes.ts';

const DESCRIBE_INTERVAL_MS = 500;
const CONSOLE_GRACE_MS = 1_000;

export interface NitroEnclaveDeps {
  readonly cli: NitroCli;
  readonly run: NitroCliRun;
  readonly id: string;
  readonly cid: Cid;
  /** In the environment of the process that owns the enclave. */
  readonly mark: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly console: ConsoleSink;
}

export class NitroEnclave implements RunningEnclave {
  readonly heartbeat = Promise.resolve();
  readonly ended: Promise<EnclaveEnd>;
  readonly #deps: NitroEnclaveDeps;
  /** Aborts when the enclave is known to be gone. */
  readonly #over = new AbortController();
  #console: TetheredChild | undefined;
  #asked = false;
  #wasUnsure = false;

  constructor(deps: NitroEnclaveDeps) {
    this.#deps = deps;
    this.ended = this.#watch();
  }

  get id(): string {
    return this.#deps.id;
  }

  get cid(): Cid {
    return this.#deps.cid;
  }

  /** A console that cannot be had is no reason to end an enclave. */
  async attachConsole(): Promise<void> {
    const { run, id, console, logger } = this.#deps;
    if (!run.debug) return;
    try {
      this.#console = await TetheredChild.launch({
        program: run.program,
        arguments: ['console', '--enclave-id', id],
        onLine: (line) => console.push(line),
      });
    } catch (error) {
      logger.log('warn', 'enclave.console-failed', { reason: describeError(error) });
    }
  }

  /** First by nitro-cli; if it cannot, by ending the process that owns the enclave. */
  async terminate(): Promise<void> {
    const { cli, id, mark, clock, logger } = this.#deps;
    if (this.#over.signal.aborted) return;
    this.#asked = true;
    try {
      await cli.terminate(id);
    } catch (error) {
      logger.log('error', 'enclave.terminate-failed', { id, reason: describeError(error) });
      if (!(await endMarked(mark, clock)) && (await this.#stateNow()) !== undefined) {
        throw new EnclaveError('ENCLAVE_NOT_TERMINATED', `enclave ${id} could not be ended`, { cause: error });
      }
    }
    this.#over.abort();
    await this.ended;
  }

  async #watch(): Promise<EnclaveEnd> {
    const { clock } = this.#deps;
    let state: string | undefined = 'RUNNING';
    while (state === 'RUNNING') {
      await clock.sleep(DESCRIBE_INTERVAL_MS, this.#over.signal).catch(() => undefined);
      if (this.#over.signal.aborted) break;
      state = await this.#stateNow();
    }
    this.#over.abort();
    await this.#console?.stop(clock, CONSOLE_GRACE_MS);
    if (this.#asked) return { how: 'terminated', detail: 'nitro-cli terminated it' };
    const seen = state === undefined ? 'nitro-cli no longer knows it' : `nitro-cli calls it ${state}`;
    return { how: 'exited', detail: seen };
  }

  /** undefined: gone. An answer that does not come proves nothing: the enclave counts as running. */
  async #stateNow(): Promise<string | undefined> {
    const { cli, id, logger } = this.#deps;
    try {
      const all = await cli.describe(new AbortController().signal);
      this.#wasUnsure = false;
      return all.find(({ EnclaveID }) => EnclaveID === id)?.State;
    } catch (error) {
      if (!this.#wasUnsure) logger.log('warn', 'enclave.describe-failed', { id, reason: describeError(error) });
      this.#wasUnsure = true;
      return 'RUNNING';
    }
  }
}
