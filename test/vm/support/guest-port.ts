/**
 * Dials a vsock port of the guest from outside, through the socket that stands for its vsock device: `CONNECT port`, then
 * `OK port` from whoever listens. Specification: the hybrid form of Firecracker's docs/vsock.md, as vhost-device-vsock has it.
 */
import type { Socket } from 'node:net';
import { createConnection } from 'node:net';
import { createInterface } from 'node:readline';
import { encodeConnectLine } from '../../../relay/preface/hybrid.ts';

/** @returns the connection, or undefined when nobody listens there. @throws when nothing comes in time */
export function dialGuest(path: string, port: number, signal: AbortSignal): Promise<Socket | undefined> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path });
    const onAbort = () => {
      socket.destroy();
      reject(new Error(`no answer from port ${port}`));
    };
    signal.addEventListener('abort', onAbort, { once: true });
    const settle = (answer: Socket | undefined) => {
      signal.removeEventListener('abort', onAbort);
      resolve(answer);
    };
    socket.on('error', () => settle(undefined));
    socket.once('close', () => settle(undefined));
    socket.once('data', (data: Buffer) => settle(data.toString('latin1').startsWith('OK ') ? socket : undefined));
    socket.write(encodeConnectLine(port));
  });
}

/** One line there, one line back. */
export async function askGuest(path: string, port: number, line: string, signal: AbortSignal): Promise<string> {
  const socket = await dialGuest(path, port, signal);
  if (socket === undefined) throw new Error(`nobody listens on port ${port}`);
  try {
    return await new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      socket.once('close', () => reject(new Error(`port ${port} closed without an answer`)));
      createInterface({ input: socket }).once('line', resolve);
      socket.write(`${line}\n`);
    });
  } finally {
    socket.destroy();
  }
}
