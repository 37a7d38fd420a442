/**
 * Enclaves on QEMU's nitro-enclave machine: a real AF_VSOCK and a real /dev/nsm that signs nothing. For laptops and tests;
 * no production build of anything trusts what it attests.
 */
import { accessSync, constants, existsSync, rmSync } from 'node:fs';
import type { QemuRun } from '../../../config/enclave-run.ts';
import { untilAborted } from '../../../runtime/abort.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { Deadline } from '../../../runtime/deadline.ts';
import { LineBuffer } from '../../../system/lines/line-buffer.ts';
import { describeExit, TetheredChild } from '../../../system/processes/tethered-child.ts';
import type { Cid } from '../../../wire/brands.ts';
import type { ConsoleSink, EnclaveDriver, RunningEnclave } from '../driver.ts';
import { EnclaveError } from '../errors.ts';
import { qemuArguments, vhostArguments, vhostSocketPath } from './command-line.ts';
import { HeartbeatListener } from './heartbeat.ts';
import type { VsockDevice } from './running.ts';
import { QemuEnclave } from './running.ts';

const SOCKET_DEADLINE_MS = 10_000;
const SOCKET_LOOK_MS = 20;
const STOP_GRACE_MS = 2_000;
const DEVICE_LINES = { maxLines: 20, maxBytes: 16_384 };

export interface QemuDriverDeps {
  readonly run: QemuRun;
  readonly cid: Cid;
  /** The host's end of the vsock, `enclave.path`. */
  readonly vsockPath: string;
  readonly runtimeFolder: string;
  readonly clock: Clock;
  readonly console: ConsoleSink;
}

export class QemuDriver implements EnclaveDriver {
  readonly kind = 'qemu';
  readonly hasConsole = true;
  readonly #deps: QemuDriverDeps;

  constructor(deps: QemuDriverDeps) {
    this.#deps = deps;
  }

  /** @throws EnclaveError ENCLAVE_IMAGE_UNREADABLE, ENCLAVE_PROGRAM_MISSING, ENCLAVE_VSOCK_DEVICE */
  async start(signal: AbortSignal): Promise<RunningEnclave> {
    const { run, cid, vsockPath, runtimeFolder, clock } = this.#deps;
    signal.throwIfAborted();
    checkReadable(run.image);
    const vhostSocket = vhostSocketPath(runtimeFolder);
    const removeSockets = () => {
      for (const path of [vsockPath, vhostSocket]) rmSync(path, { force: true });
    };
    removeSockets(); // Left behind by a daemon that was killed.
    await using undo = new AsyncDisposableStack();
    undo.defer(removeSockets);
    const heartbeat = new HeartbeatListener(vsockPath);
    await heartbeat.start();
    undo.defer(() => heartbeat.stop());
    const vsock = await this.#startVsock(vhostArguments(cid, vsockPath, vhostSocket), vhostSocket, signal);
    undo.defer(async () => void (await vsock.child.stop(clock, STOP_GRACE_MS)));
    const enclave = await QemuEnclave.launch({
      ...this.#deps,
      arguments: qemuArguments(run, vhostSocket),
      heartbeat: heartbeat.heard,
      vsock,
      release: undo.move(),
    });
    if (signal.aborted) await enclave.terminate();
    signal.throwIfAborted();
    return enclave;
  }

  async #startVsock(words: readonly string[], socket: string, signal: AbortSignal): Promise<VsockDevice> {
    const { run, clock } = this.#deps;
    const lines = new LineBuffer(DEVICE_LINES);
    const child = await TetheredChild.launch({
      program: run.vhostDeviceVsock,
      arguments: words,
      onLine: (line) => lines.push(line),
    });
    const said = () => lines.tail(DEVICE_LINES.maxLines).join(' | ') || 'no output';
    const failed = (what: string) =>
      new EnclaveError('ENCLAVE_VSOCK_DEVICE', `vhost-device-vsock ${what}`, { found: said() });
    using deadline = new Deadline(clock, SOCKET_DEADLINE_MS, signal);
    const ended = child.exited.then((exit) => Promise.reject(failed(`ended with ${describeExit(exit)}`)));
    ended.catch(() => undefined);
    try {
      while (!existsSync(socket)) {
        await untilAborted(Promise.race([clock.sleep(SOCKET_LOOK_MS, deadline.signal), ended]), deadline.signal);
      }
      return { child, said };
    } catch (error) {
      await child.stop(clock, STOP_GRACE_MS);
      throw deadline.hasPassed ? failed(`did not open ${socket}`) : error;
    }
  }
}

/** @throws EnclaveError ENCLAVE_IMAGE_UNREADABLE */
function checkReadable(image: string): void {
  try {
    accessSync(image, constants.R_OK);
  } catch (cause) {
    throw new EnclaveError('ENCLAVE_IMAGE_UNREADABLE', `cannot read ${image}`, { cause });
  }
}
