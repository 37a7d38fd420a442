/**
 * Puts a KeyEnclave behind hybrid vsock, where host-proxy looks for it: the requests route, and a control connection on which it says that it
 * waits for a key set, or serves.
 */
import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';
import { systemClock } from '../../../runtime/clock.ts';
import { encodeFrame } from '../../../wire/control/frame.ts';
import { KEY_SET_PHASE } from '../../../wire/control/messages.ts';
import type { ParentRequest } from '../../../wire/requests/parent-messages.ts';
import { serveRequest } from '../../../wire/requests/serve.ts';
import { ROUTES } from '../../../wire/routes.ts';
import type { KeyEnclave } from './key-enclave.ts';

type Teardown = { teardown(run: () => unknown): void };

const CONNECT = `CONNECT ${ROUTES.requests.port}\n`;

export class EnclaveMachine {
  readonly #enclave: KeyEnclave;
  readonly #path: string;
  #control: Socket | undefined;
  #boots = 0;

  private constructor(enclave: KeyEnclave, path: string) {
    this.#enclave = enclave;
    this.#path = path;
  }

  /** @param path of the hybrid socket */
  static async start(t: Teardown, enclave: KeyEnclave, path: string): Promise<EnclaveMachine> {
    const machine = new EnclaveMachine(enclave, path);
    const open = new Set<Socket>();
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      open.add(socket);
      socket.on('error', () => socket.destroy()).once('close', () => open.delete(socket));
      machine.#serve(socket);
    });
    server.listen(path);
    await once(server, 'listening');
    t.teardown(async () => {
      machine.#control?.destroy();
      for (const socket of open) socket.destroy();
      server.close();
    });
    return machine;
  }

  #serve(socket: Socket): void {
    socket.once('data', (first: Buffer) => {
      if (first.toString('latin1') !== CONNECT) {
        socket.destroy();
        return;
      }
      socket.write('OK 1024\n');
      const answer = async (request: ParentRequest) => {
        const answered = await this.#enclave.answer(request);
        if (answered.type === 'keys-taken') this.#say();
        return answered;
      };
      serveRequest(socket, answer, systemClock);
    });
  }

  /** Another boot, without keys. */
  async reboot(): Promise<void> {
    this.#enclave.restart();
    this.#boots += 1;
    await this.connect();
  }

  /** Dials the parent, as an enclave does again when host-proxy comes back. */
  async connect(): Promise<void> {
    this.#control?.destroy();
    const socket = createConnection({ path: `${this.#path}_${ROUTES.control.port}` });
    await once(socket, 'connect');
    socket.on('error', () => socket.destroy()).resume();
    this.#control = socket;
    const hello = { type: 'hello', protocol: 1, bootId: `boot-${this.#boots}`, release: '0', simulated: true } as const;
    socket.write(encodeFrame(hello));
    this.#say();
  }

  #say(): void {
    const isWaiting = this.#enclave.taken === undefined;
    const status = {
      state: isWaiting ? ('booting' as const) : ('serving' as const),
      phase: isWaiting ? KEY_SET_PHASE : 'serve',
      detail: null,
      errorCode: null,
      sinceMs: 0,
    };
    this.#control?.write(encodeFrame({ type: 'status', status }));
  }
}
