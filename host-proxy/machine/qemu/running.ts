/** One machine under QEMU: its console is read line by line, and its end is known at once. */

import type { QemuRun } from '../../../config/enclave-run.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { describeExit, TetheredChild } from '../../../system/processes/tethered-child.ts';
import type { Cid } from '../../../wire/brands.ts';
import type { ConsoleSink, EnclaveEnd, RunningEnclave } from '../driver.ts';

const STOP_GRACE_MS = 3_000;
/** What the kernel prints first. Twice means that the machine was reset instead of ended (vm-tier, "Pitfalls" 3). */
const KERNEL_BANNER = /(^|\] )Linux version \d/;
const KERNEL_PANIC = /(^|\] )Kernel panic/;

export interface QemuEnclaveDeps {
  readonly run: QemuRun;
  readonly cid: Cid;
  readonly clock: Clock;
  readonly console: ConsoleSink;
  readonly arguments: readonly string[];
  readonly heartbeat: Promise<void>;
  readonly vsock: VsockDevice;
  /** Everything else that was made for the machine. */
  readonly release: AsyncDisposableStack;
}

/** vhost-device-vsock, without which nobody reaches the machine. */
export interface VsockDevice {
  readonly child: TetheredChild;
  /** Its last lines. */
  readonly said: () => string;
}

export class QemuEnclave implements RunningEnclave {
  readonly heartbeat: Promise<void>;
  readonly ended: Promise<EnclaveEnd>;
  readonly #deps: QemuEnclaveDeps;
  readonly #qemu: TetheredChild;
  #asked = false;
  #boots = 0;
  /** Why the machine ended, where that was seen before QEMU's exit. */
  #reason: string | undefined;

  private constructor(deps: QemuEnclaveDeps, qemu: TetheredChild) {
    this.#deps = deps;
    this.#qemu = qemu;
    this.heartbeat = deps.heartbeat;
    this.ended = this.#watch();
  }

  /** Releases everything when QEMU cannot be started. @throws EnclaveError ENCLAVE_PROGRAM_MISSING */
  static async launch(deps: QemuEnclaveDeps): Promise<QemuEnclave> {
    let enclave: QemuEnclave | undefined;
    try {
      const qemu = await TetheredChild.launch({
        program: deps.run.program,
        arguments: deps.arguments,
        onLine: (line) => {
          deps.console.push(line);
          if (enclave) enclave.#read(line);
        },
      });
      enclave = new QemuEnclave(deps, qemu);
      return enclave;
    } catch (error) {
      await deps.release.disposeAsync();
      throw error;
    }
  }

  get id(): string {
    return `${this.#deps.run.name} (QEMU, process ${this.#qemu.pid})`;
  }

  get cid(): Cid {
    return this.#deps.cid;
  }

  async terminate(): Promise<void> {
    this.#asked ||= !this.#qemu.hasExited;
    await this.#qemu.stop(this.#deps.clock, STOP_GRACE_MS);
    await this.ended;
  }

  #read(line: string): void {
    if (KERNEL_PANIC.test(line)) this.#reason ??= line;
    if (!KERNEL_BANNER.test(line)) return;
    this.#boots += 1;
    if (this.#boots > 1) this.#endAfter('the machine was reset');
  }

  #endAfter(reason: string): void {
    this.#reason ??= reason;
    this.#qemu.kill('SIGKILL');
  }

  async #watch(): Promise<EnclaveEnd> {
    const { vsock, release } = this.#deps;
    const withoutVsock = vsock.child.exited.then((exit) => {
      if (this.#qemu.hasExited) return;
      this.#endAfter(`vhost-device-vsock ended with ${describeExit(exit)} (${vsock.said()})`);
    });
    const exit = await this.#qemu.exited;
    await release.disposeAsync();
    await withoutVsock;
    const asked = this.#asked && this.#reason === undefined;
    const seen = `QEMU ended with ${describeExit(exit)}`;
    return {
      how: asked ? 'terminated' : 'exited',
      detail: this.#reason === undefined ? seen : `${this.#reason}; ${seen}`,
    };
  }
}
