/**
 * A real HAProxy in the place of what AWS has: the load balancer, and the endpoints of the network by which hosts reach KMS, instance metadata
 * and databases. Its runtime API (HAProxy management guide, 9.3) says how servers are, and takes them out.
 */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { startProgram } from '../program.ts';

const LOOK_MS = 50;
/** Of `show stat`, from 0: sessions at this moment, and status. */
const [SESSIONS, STATUS] = [4, 17];

/** `drain`: no new connections, those that there are stay. `maint`: none at all. */
export type ServerState = 'ready' | 'drain' | 'maint';

export class HaProxy {
  readonly #socket: string;
  readonly #file: string;
  #program: ReturnType<typeof startProgram>;

  private constructor(socket: string, file: string) {
    this.#socket = socket;
    this.#file = file;
    this.#program = this.#begin();
  }

  /** @param sections behind `global` and `defaults`. @param stops what ends it */
  static async start(
    folder: string,
    name: string,
    sections: readonly string[],
    signal: AbortSignal,
    stops: AsyncDisposableStack,
  ): Promise<HaProxy> {
    const [socket, file] = [join(folder, `${name}.sock`), join(folder, `${name}.cfg`)];
    const global = ['global', `  stats socket ${socket} mode 600 level admin`, '  maxconn 2000'];
    writeFileSync(file, [...global, ...sections, ''].join('\n'));
    const proxy = new HaProxy(socket, file);
    stops.defer(() => proxy.#program.stop());
    await proxy.#untilUp(signal);
    return proxy;
  }

  /** All that pass it lose their sessions, and it knows nothing of its servers yet. */
  async restart(signal: AbortSignal): Promise<void> {
    await this.#program.stop();
    this.#program = this.#begin();
    await this.#untilUp(signal);
  }

  #begin() {
    return startProgram('setpriv', ['--pdeathsig', 'KILL', '--', 'haproxy', '-db', '-q', '-f', this.#file]);
  }

  async #untilUp(signal: AbortSignal): Promise<void> {
    while (!(await this.#ask('show info').then(Boolean, () => false))) {
      if (this.#program.hasEnded()) throw new Error(`HAProxy did not start with ${this.#file}`);
      await sleep(LOOK_MS, undefined, { signal });
    }
  }

  async setState(server: string, state: ServerState): Promise<void> {
    const answer = (await this.#ask(`set server ${server} state ${state}`)).trim();
    if (answer !== '') throw new Error(`HAProxy: set server ${server} state ${state}: ${answer}`);
  }

  /** UP, DOWN, DRAIN, MAINT, with how far a change of it has come. @param server as backend/name */
  async statusOf(server: string): Promise<string> {
    return (await this.#statistics(server))[STATUS] ?? 'none';
  }

  /** @param server as backend/name */
  async sessionsOf(server: string): Promise<number> {
    return Number((await this.#statistics(server))[SESSIONS]);
  }

  async untilStatus(server: string, status: 'UP' | 'DOWN', signal: AbortSignal): Promise<void> {
    while ((await this.statusOf(server)) !== status) await sleep(LOOK_MS, undefined, { signal });
  }

  async #statistics(server: string): Promise<string[]> {
    const rows = (await this.#ask('show stat')).split('\n').map((line) => line.split(','));
    return rows.find(([backend, name]) => `${backend}/${name}` === server) ?? [];
  }

  async #ask(command: string): Promise<string> {
    const socket = createConnection(this.#socket);
    await once(socket, 'connect');
    socket.end(`${command}\n`);
    return text(socket);
  }
}
