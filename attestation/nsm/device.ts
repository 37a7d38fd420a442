/**
 * The real security module: one ioctl on /dev/nsm, made on another thread: the module may take seconds (the driver gives up
 * after 120 s) and the event loop must not wait.
 * Specification: nitro-formats 3.5.
 */
import { closeSync, constants, openSync } from 'node:fs';
import { callDevice } from '../../system/libc/device-call.ts';
import { errnoName } from '../../system/libc/errno.ts';
import { NsmError } from '../errors.ts';
import type { NsmExchange } from './exchange.ts';
import { packNsmMessage, takeNsmResponse } from './ioctl-message.ts';

/** _IOWR(0x0A, 0, struct nsm_raw[32 bytes]). */
const NSM_IOCTL = 0xc0200a00;

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
    const errno = await callDevice(this.#fd, NSM_IOCTL, block).catch((cause: unknown) => {
      throw new NsmError('NSM_DEVICE_IOCTL', 'the call could not be made', { cause });
    });
    if (errno === 0) return takeNsmResponse(block);
    throw new NsmError('NSM_DEVICE_IOCTL', `the driver behind ${this.#path} refused the request`, {
      found: errnoName(errno),
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
