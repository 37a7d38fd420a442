/**
 * `acra-enclave run`: host-proxy and the enclave's life cycle as one service. Routes first, then the enclave; the other way
 * round at the end. The service manager hears of readiness when the enclave serves, not before.
 */

import type { EnclaveRun } from '../config/enclave-run.ts';
import type { HostProxyConfig } from '../config/host-proxy.ts';
import { StopRequested } from '../runtime/abort.ts';
import type { Clock } from '../runtime/clock.ts';
import { describeError, errorCode } from '../runtime/errors.ts';
import type { Random } from '../runtime/random.ts';
import type { LineBuffer } from '../system/lines/line-buffer.ts';
import { HostProxy } from './daemon.ts';
import type { TlsKeyCertificate } from './enclave/tls-key-certificate.ts';
import type { KeyCommands } from './keys/key-commands.ts';
import { ConsoleLog } from './machine/console-log.ts';
import { createDriver } from './machine/create-driver.ts';
import type { EnclaveDriver } from './machine/driver.ts';
import { EnclaveError } from './machine/errors.ts';
import { EnclaveLifecycle } from './machine/lifecycle.ts';
import type { CommandTarget } from './operator/command/handle.ts';
import { handleCommand } from './operator/command/handle.ts';
import { commandSocketPath, prepareRuntimeFolder } from './operator/command/runtime-folder.ts';
import { CommandServer } from './operator/command/server.ts';
import type { HostStatus, MachineStatus } from './operator/host-status.ts';
import { describeProgress } from './operator/host-status.ts';
import type { ServiceManager } from './systemd/notify.ts';

export interface EnclaveHostOptions {
  readonly config: HostProxyConfig;
  readonly clock: Clock;
  readonly random: Random;
  readonly serviceManager: ServiceManager;
  /** One line for people after each change. */
  readonly onProgress: (text: string) => void;
}

export class EnclaveHost implements CommandTarget {
  readonly #options: EnclaveHostOptions;
  readonly #run: EnclaveRun;
  readonly #proxy: HostProxy;
  readonly #console: ConsoleLog;
  readonly #driver: EnclaveDriver;
  readonly #lifecycle: EnclaveLifecycle;
  readonly #commands: CommandServer;
  readonly #stop = new AbortController();
  readonly #over = new AbortController();
  readonly #followers = new Set<() => void>();
  #told: string | undefined;
  #isReady = false;
  #readyRefused = false;

  /** @throws HostProxyError HOST_RUN_MISSING, HOST_LOG_FILE */
  constructor(options: EnclaveHostOptions) {
    const { config, clock, random } = options;
    this.#options = options;
    this.#proxy = new HostProxy(config, clock, () => this.#machine());
    this.#console = new ConsoleLog(config.enclave.run?.consoleFile);
    const { run, driver } = createDriver(config, { clock, logger: this.#proxy.logger, console: this.#console });
    this.#run = run;
    this.#driver = driver;
    this.#lifecycle = new EnclaveLifecycle({
      run: this.#run,
      driver: this.#driver,
      host: this.#proxy,
      clock,
      random,
      console: this.#console.recent,
      onChange: () => this.#changed(),
    });
    this.#commands = new CommandServer(commandSocketPath(config.runtimeFolder), (request, reply, gone) =>
      handleCommand(this, request, reply, gone),
    );
  }

  /**
   * Resolves when the enclave has ended in order and everything is closed; `signal` asks for that.
   * @throws EnclaveError, HostProxyError, RelayError; nothing is left then either.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { config } = this.#options;
    await using undo = new AsyncDisposableStack();
    undo.defer(() => this.#console.close());
    undo.defer(() => this.#proxy.stop()); // Its log file is open from the beginning.
    prepareRuntimeFolder(config.runtimeFolder);
    await this.#commands.start(signal);
    undo.defer(() => this.#commands.stop());
    undo.defer(() => this.#over.abort());
    await this.#proxy.start(signal);
    undo.defer(() => this.#proxy.stop());
    undo.defer(this.#proxy.view.subscribe(() => this.#changed()));
    await this.#keepEnclave(AbortSignal.any([signal, this.#stop.signal]));
  }

  /** A daemon whose relay died ends its enclave in order and fails: nothing can be forwarded any more. */
  async #keepEnclave(stop: AbortSignal): Promise<void> {
    const { serviceManager } = this.#options;
    const done = new AbortController();
    const broken = new AbortController();
    this.#proxy.whenFailed().then((error) => broken.abort(error));
    const pinging = serviceManager.watch(() => !broken.signal.aborted, done.signal);
    const either = AbortSignal.any([stop, broken.signal]);
    either.addEventListener('abort', () => serviceManager.stopping(), { once: true, signal: done.signal });
    try {
      await this.#lifecycle.run(either);
    } finally {
      done.abort();
      await pinging;
    }
    if (broken.signal.aborted && !stop.aborted) throw broken.signal.reason;
  }

  status(): HostStatus {
    return this.#proxy.status();
  }

  #machine(): MachineStatus {
    const { stage, sinceMs, id, restarts, lastEnd } = this.#lifecycle.status;
    return {
      stage,
      stageSinceMs: sinceMs,
      driver: this.#driver.kind,
      debug: this.#run.driver === 'nitro-cli' && this.#run.debug,
      id,
      cid: this.#options.config.enclave.cid,
      image: this.#run.image,
      restarts,
      lastEnd,
    };
  }

  /** Goes over to the files that the names of log and console stand for now. */
  reopenLogs(): void {
    this.#console.reopen();
    this.#proxy.reopenLogs();
  }

  get tlsKeyCertificate(): TlsKeyCertificate {
    return this.#proxy.tlsKeyCertificate;
  }

  attest(nonce: Buffer, signal: AbortSignal): Promise<object> {
    return this.#proxy.attest(nonce, signal);
  }

  keys(): KeyCommands {
    return this.#proxy.keys();
  }

  get records(): LineBuffer {
    return this.#proxy.recentRecords;
  }

  console(): LineBuffer {
    if (this.#driver.hasConsole) return this.#console.recent;
    throw new EnclaveError('ENCLAVE_NO_CONSOLE', 'this enclave has no console');
  }

  requestStop(): void {
    this.#stop.abort(new StopRequested('`acra-enclave stop` asked for it'));
  }

  subscribe(onChange: () => void): () => void {
    this.#followers.add(onChange);
    return () => this.#followers.delete(onChange);
  }

  get over(): AbortSignal {
    return this.#over.signal;
  }

  #changed(): void {
    const { serviceManager, onProgress } = this.#options;
    const status = this.status();
    const text = describeProgress(status);
    if (text !== this.#told) {
      this.#told = text;
      serviceManager.status(text);
      onProgress(text);
    }
    const hasStarted = status.ready || status.machine?.stage === 'closed';
    if (hasStarted && !this.#isReady) this.#tellReady();
    for (const follow of this.#followers) follow();
  }

  /**
   * A service manager that cannot be told now is told at the next change; the enclave reports every few seconds. An enclave
   * that failed right after it served has started too: the service manager would start it again if it were not told so.
   */
  #tellReady(): void {
    try {
      this.#options.serviceManager.ready();
      this.#isReady = true;
    } catch (error) {
      if (this.#readyRefused) return;
      this.#readyRefused = true;
      this.#proxy.logger.log('error', 'systemd.not-told', { code: errorCode(error), reason: describeError(error) });
    }
  }
}
