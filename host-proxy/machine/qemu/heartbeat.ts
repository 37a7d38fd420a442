/**
 * The part of nitro-cli in an enclave's boot: listens where the guest's connection to CID 3 port 9000 arrives, takes one
 * byte, which must be 0xB7, and sends it back. Only the first connection counts.
 *
 * Specification: nitro-formats 3.4 step 5; aws-nitro-enclaves-cli, eif_loader, enclave_ready.
 */

import { rmSync } from 'node:fs';
import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { listenAt } from '../../../system/listen.ts';
import { HEARTBEAT_PORT } from '../../../wire/routes.ts';
import { EnclaveError } from '../errors.ts';

const HEARTBEAT_BYTE = 0xb7;

export class HeartbeatListener {
  readonly path: string;
  readonly heard: Promise<void>;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #answer: (problem: string | undefined) => void = () => undefined;

  /** @param vsockPath the host's end of the hybrid vsock. */
  constructor(vsockPath: string) {
    this.path = `${vsockPath}_${HEARTBEAT_PORT}`;
    this.#server = createServer((socket) => this.#accept(socket));
    this.heard = new Promise((resolve, reject) => {
      this.#answer = (problem) => {
        if (problem === undefined) resolve();
        else
          reject(
            new EnclaveError('ENCLAVE_HEARTBEAT_WRONG', 'the heartbeat was wrong', { found: problem, allowed: '0xb7' }),
          );
      };
    });
    this.heard.catch(() => undefined); // Whoever waits for it is told; nobody need wait.
  }

  /** @throws EnclaveError ENCLAVE_VSOCK_DEVICE */
  async start(): Promise<void> {
    rmSync(this.path, { force: true });
    const failed = (cause: unknown) =>
      new EnclaveError('ENCLAVE_VSOCK_DEVICE', `cannot listen on ${this.path}`, { cause });
    await listenAt(this.#server, { path: this.path }, failed);
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (this.#server.listening) await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#answer('a connection that ended without a byte');
    });
    socket.once('data', (bytes: Buffer) => {
      if (bytes.length !== 1 || bytes[0] !== HEARTBEAT_BYTE) {
        this.#answer(`0x${bytes.subarray(0, 8).toString('hex')}`);
        socket.destroy();
        return;
      }
      // Written before it is told: nothing that follows may cut the answer short.
      socket.write(bytes, () => {
        this.#answer(undefined);
        socket.end();
      });
    });
  }
}
