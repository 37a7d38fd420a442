/**
 * The real security module: one ioctl on /dev/nsm. Node has no ioctl, so the call goes through FFI, on a thread of the FFI
 * library: the module may take seconds (the driver gives up after 120 s) and the event loop must not wait.
 * Specification: nitro-formats 3.5.
 */
import { closeSync, constants, openSync } from 'node:fs';
import { getSystemErrorName } from 'node:util';
import type { KoffiFunc } from 'koffi';
import koffi from 'koffi';
import { NsmError } from '../errors.ts';
import type { NsmExchange } from './exchange.ts';
import { packNsmMessage, takeNsmResponse } from './ioctl-message.ts';

/** _IOWR(0x0A, 0, struct nsm_raw[32 bytes]). */
const NSM_IOCTL = 0xc0200a00;

type Ioctl = KoffiFunc<(fd: number, command: number, message: Buffer) => number>;

/** Linux passes variadic arguments of this kind like ordinary ones, and FFI calls variadic functions synchronously only. */
function loadIoctl(): Ioctl {
  return koffi.load(null).func('int ioctl(int fd, unsigned long command, void *message)') as Ioctl;
}

function openDevice(path: string): number {
  try {
    return openSync(path, constants.O_RDWR);
  } catch (cause) {
    throw new NsmError('NSM_DEVICE_OPEN', `cannot open ${path}`, { cause });
  }
}

class NsmDevice implements NsmExchange {
  readonly #path: string;
  readonly #fd: number;
  readonly #ioctl = loadIoctl();
  /** The driver serialises requests; so do we, lest waiting calls fill the threads of the FFI library. */
  #last: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(path: string) {
    this.#path = path;
    this.#fd = openDevice(path);
  }

  exchange(request: Buffer): Promise<Buffer> {
    if (this.#closing) return Promise.reject(new NsmError('NSM_CLOSED', `${this.#path} is closed`));
    const mine = this.#last.then(() => this.#call(request));
    this.#last = mine.catch(() => undefined);
    return mine;
  }

  async #call(request: Buffer): Promise<Buffer> {
    const block = packNsmMessage(request);
    const { result, errno } = await this.#submit(block);
    if (result === 0) return takeNsmResponse(block);
    throw new NsmError('NSM_DEVICE_IOCTL', `the driver behind ${this.#path} refused the request`, {
      found: getSystemErrorName(-errno),
    });
  }

  #submit(block: Buffer): Promise<{ result: number; errno: number }> {
    return new Promise((resolve, reject) => {
      this.#ioctl.async(this.#fd, NSM_IOCTL, block, (error, result) => {
        if (error) reject(new NsmError('NSM_DEVICE_IOCTL', 'the call could not be made', { cause: error }));
        else resolve({ result, errno: koffi.errno() });
      });
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#last.then(() => closeSync(this.#fd));
    return this.#closing;
  }
}

/**
 * Opens the device once; all calls share it.
 * @throws NsmError NSM_DEVICE_OPEN. Exchanges reject with NSM_DEVICE_IOCTL (errno in `found`) or NSM_CLOSED.
 */
export function openNsmDevice(path = '/dev/nsm'): NsmExchange {
  return new NsmDevice(path);
}
