/**
 * One enclave that nitro-cli started. Its end is seen at the process that owns it, which is looked at twice a second; in
 * debug mode its console is read too.
 */

import type { NitroCliRun } from '../../../config/enclave-run.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { describeError } from '../../../runtime/errors.ts';
import type { Logger } from '../../../runtime/log.ts';
import { TetheredChild } from '../../../system/processes/tethered-child.ts';
import type { Cid } from '../../../wire/brands.ts';
import type { ConsoleSink, EnclaveEnd, RunningEnclave } from '../driver.ts';
import { EnclaveError } from '../errors.ts';
import type { NitroCli } from './cli.ts';
import { endMarked } from './marked-processes.ts';
import { OwnerProcess } from './owner-process.ts';

const LOOK_INTERVAL_MS = 500;
const CONSOLE_GRACE_MS = 1_000;

export interface NitroEnclaveDeps {
  readonly cli: NitroCli;
  readonly run: NitroCliRun;
  readonly id: string;
  readonly cid: Cid;
  /** The process that owns the enclave. */
  readonly ownerPid: number;
  /** In the environment of the process that owns the enclave. */
  readonly mark: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly console: ConsoleSink;
}

export class NitroEnclave implements RunningEnclave {
  readonly heartbeat = Promise.resolve();
  readonly #deps: NitroEnclaveDeps;
  readonly #owner: OwnerProcess;
  readonly #ended = Promise.withResolvers<EnclaveEnd>();
  /** Aborts when the enclave is known to be gone, or cannot be ended. */
  readonly #unwatched = new AbortController();
  #console: TetheredChild | undefined;
  #asked = false;
  #isOver = false;

  constructor(deps: NitroEnclaveDeps) {
    this.#deps = deps;
    this.#owner = new OwnerProcess(deps.ownerPid);
    void this.#watch();
  }

  /** Stays open after `terminate` gave up: nobody looks then. */
  get ended(): Promise<EnclaveEnd> {
    return this.#ended.promise;
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

  /** First by nitro-cli; if it cannot, by ending the process that owns the enclave. May be tried again. */
  async terminate(): Promise<void> {
    const { cli, id, mark, clock, logger } = this.#deps;
    if (this.#isOver) return;
    this.#asked = true;
    try {
      await cli.terminate(id);
    } catch (error) {
      logger.log('error', 'enclave.terminate-failed', { id, reason: describeError(error) });
      await endMarked(mark, clock);
      if (!this.#owner.isGone()) {
        await this.#unwatch();
        throw new EnclaveError('ENCLAVE_NOT_TERMINATED', `enclave ${id} could not be ended`, { cause: error });
      }
    }
    await this.#finish();
  }

  async #watch(): Promise<void> {
    const { signal } = this.#unwatched;
    while (!signal.aborted && !this.#owner.isGone()) {
      await this.#deps.clock.sleep(LOOK_INTERVAL_MS, signal).catch(() => undefined);
    }
    if (!signal.aborted) await this.#finish();
  }

  async #unwatch(): Promise<void> {
    this.#unwatched.abort();
    await this.#console?.stop(this.#deps.clock, CONSOLE_GRACE_MS);
  }

  async #finish(): Promise<void> {
    this.#isOver = true;
    await this.#unwatch();
    this.#ended.resolve(
      this.#asked
        ? { how: 'terminated', detail: 'nitro-cli terminated it' }
        : { how: 'exited', detail: 'the process that owns it has ended' },
    );
  }
}
