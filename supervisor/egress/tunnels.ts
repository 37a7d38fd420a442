/** Streams between programs and targets that are open now: joined, ended when nothing moves for long, and cut when the proxy stops. */
import type { Socket } from 'node:net';
import { joinStreams } from '../../runtime/join-streams.ts';

export class Tunnels {
  readonly #idleTimeoutMs: number;
  readonly #open = new Map<Socket, Promise<void>>();

  constructor(idleTimeoutMs: number) {
    this.#idleTimeoutMs = idleTimeoutMs;
  }

  get size(): number {
    return this.#open.size;
  }

  /** @param program sees every byte of both directions, so that its silence is that of both */
  add(program: Socket, target: Socket): void {
    program.setTimeout(this.#idleTimeoutMs, () => program.destroy());
    const joined = joinStreams(program, target).finally(() => this.#open.delete(program));
    this.#open.set(program, joined);
  }

  /** Resolves when all have ended by themselves. */
  async ended(): Promise<void> {
    while (this.#open.size > 0) await Promise.all(this.#open.values());
  }

  async close(): Promise<void> {
    for (const program of this.#open.keys()) program.destroy();
    await this.ended();
  }
}
