/**
 * `acra-enclave host-proxy`: the parent's daemon for an enclave that something else starts. It answers `status` and `logs` on the
 * command socket like `acra-enclave run`; what only who runs the machine can do, it refuses and says so.
 */
import type { HostProxyConfig } from '../config/host-proxy.ts';
import { whenAborted } from '../runtime/abort.ts';
import type { Clock } from '../runtime/clock.ts';
import type { LineBuffer } from '../system/lines/line-buffer.ts';
import { HostProxy } from './daemon.ts';
import type { TlsKeyCertificate } from './enclave/tls-key-certificate.ts';
import { HostProxyError } from './errors.ts';
import type { KeyCommands } from './keys/key-commands.ts';
import type { CommandTarget } from './operator/command/handle.ts';
import { handleCommand } from './operator/command/handle.ts';
import { commandSocketPath, prepareRuntimeFolder } from './operator/command/runtime-folder.ts';
import { CommandServer } from './operator/command/server.ts';
import type { HostStatus } from './operator/host-status.ts';

export class ForwardingHost implements CommandTarget {
  readonly #config: HostProxyConfig;
  readonly #proxy: HostProxy;
  readonly #commands: CommandServer;
  readonly #over = new AbortController();

  /** @throws HostProxyError HOST_LOG_FILE */
  constructor(config: HostProxyConfig, clock: Clock) {
    this.#config = config;
    this.#proxy = new HostProxy(config, clock);
    this.#commands = new CommandServer(commandSocketPath(config.runtimeFolder), (request, reply, gone) =>
      handleCommand(this, request, reply, gone),
    );
  }

  /** Resolves when `signal` has ended it and everything is closed. @throws HostProxyError, RelayError; nothing is left then either. */
  async run(signal: AbortSignal): Promise<void> {
    await using undo = new AsyncDisposableStack();
    undo.defer(() => this.#proxy.stop()); // Its log file is open from the beginning.
    prepareRuntimeFolder(this.#config.runtimeFolder);
    await this.#commands.start(signal);
    undo.defer(() => this.#commands.stop());
    undo.defer(() => this.#over.abort());
    await this.#proxy.start(signal);
    undo.defer(() => this.#proxy.stop());
    const failure = await Promise.race([whenAborted(signal), this.#proxy.whenFailed()]);
    if (failure) throw failure;
  }

  status(): HostStatus {
    return this.#proxy.status();
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

  /** @throws HostProxyError HOST_ENCLAVE_NOT_RUN_HERE */
  console(): never {
    throw new HostProxyError('HOST_ENCLAVE_NOT_RUN_HERE', 'the console of an enclave belongs to what started it');
  }

  /** @throws HostProxyError HOST_ENCLAVE_NOT_RUN_HERE */
  requestStop(): never {
    throw new HostProxyError('HOST_ENCLAVE_NOT_RUN_HERE', 'the enclave was not started by this daemon, and goes on');
  }

  subscribe(onChange: () => void): () => void {
    return this.#proxy.view.subscribe(onChange);
  }

  get over(): AbortSignal {
    return this.#over.signal;
  }

  /** Goes over to the file that the name of the log stands for now. */
  reopenLogs(): void {
    this.#proxy.reopenLogs();
  }
}
