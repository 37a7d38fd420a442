/**
 * ioctl(2) for devices that take their time. The call runs on a thread of the FFI library, so that the event loop goes on;
 * what it needs to know about memory, the address of a Buffer, is here too, for such calls take messages of bare addresses.
 */
import type { KoffiFunc } from 'koffi';
import koffi from 'koffi';
import { SystemError } from '../errors.ts';

type Ioctl = KoffiFunc<(fd: number, command: number, message: Buffer) => number>;

/** Linux passes variadic arguments of this kind like ordinary ones, and FFI calls variadic functions synchronously only. */
const ioctl = koffi.load(null).func('int ioctl(int fd, unsigned long command, void *message)') as Ioctl;

/** Where the first byte lies. It stays there for as long as the Buffer is referenced: Node's memory for bytes does not move. */
export function addressOf(bytes: Buffer): bigint {
  return koffi.address(bytes);
}

/**
 * @param block what the driver reads and writes; kept until it has answered
 * @returns 0, or the errno of the driver's refusal
 * @throws SystemError BOOT_SYSTEM_CALL when the call could not be made at all
 */
export function callDevice(fd: number, command: number, block: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    ioctl.async(fd, command, block, (cause, result) => {
      if (cause) reject(new SystemError('BOOT_SYSTEM_CALL', 'the ioctl could not be made', { cause }));
      else resolve(result === -1 ? koffi.errno() : 0);
    });
  });
}
