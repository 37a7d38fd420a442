/** Machine and daemon, each started by itself, so that one can be killed while the other goes on; what a kill ends is started again. */
import { join } from 'node:path';
import type { Test as TapTest } from 'tap';
import { hostProxySchema } from '../../../config/host-proxy.ts';
import { loadConfig } from '../../../config/load.ts';
import { createDriver } from '../../../host-proxy/machine/create-driver.ts';
import type { EnclaveDriver, RunningEnclave } from '../../../host-proxy/machine/driver.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { silentLogger } from '../../../runtime/log.ts';
import { type EnclaveStack, step } from './enclave-stack.ts';
import { target } from './target.ts';

export type Part = 'daemon' | 'machine';

const PRELOAD = join(import.meta.dirname, '../../support/kill-at.ts');

export class SeparateParts {
  readonly #stack: EnclaveStack;
  readonly #driver: EnclaveDriver;
  #machine: RunningEnclave | undefined;
  /** Of a machine that was killed: what it said last is not taken for what the next one says. */
  #overBootId: string | null = null;

  /** @param stack its configuration is written */
  constructor(t: TapTest, stack: EnclaveStack) {
    this.#stack = stack;
    const config = loadConfig(hostProxySchema, stack.configFile);
    const console = { push: () => undefined };
    this.#driver = createDriver(config, { clock: systemClock, logger: silentLogger, console }).driver;
    t.teardown(() => this.#machine?.terminate());
  }

  /** What is not there. Resolves when the daemon hears the machine. @param environment of a daemon that starts */
  async start(environment: Readonly<Record<string, string>> = {}): Promise<void> {
    if (!this.#isDaemonUp) await this.#stack.startDaemon('host-proxy', environment);
    this.#machine ??= await this.#driver.start(step());
    await this.#stack.until(({ connected, bootId }) => connected && bootId !== null && bootId !== this.#overBootId);
  }

  /** Another daemon in the place of the one there, which ends by SIGKILL before this step on the disk below the folder (support/kill-at.ts). */
  async startDaemonThatEnds(folder: string, before: string): Promise<void> {
    await this.#killDaemon();
    await this.start({ NODE_OPTIONS: `--import=${PRELOAD}`, KILL_UNDER: folder, KILL_AT: before });
  }

  kill(part: Part): Promise<void> {
    return part === 'daemon' ? this.#killDaemon() : this.#killMachine();
  }

  get #isDaemonUp(): boolean {
    return this.#stack.daemon !== undefined && this.#stack.daemon.exit === undefined;
  }

  async #killDaemon(): Promise<void> {
    const { daemon } = this.#stack;
    daemon?.kill('SIGKILL');
    await daemon?.exited;
  }

  async #killMachine(): Promise<void> {
    if (this.#isDaemonUp) this.#overBootId = (await this.#stack.until(() => true)).bootId;
    if (this.#machine !== undefined) await target().kill(this.#machine);
    this.#machine = undefined;
  }
}
