/**
 * What plays acra-server's database. acra-server dials it over TCP only, where any process of the enclave could connect; so it takes
 * a connection only with the secret of one that we ask acra-server for, in the start-up packet, once. Nothing else is ever answered.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { MAX_UNAUTHENTICATED_BYTES, MessageReader } from '../../postgres/message-reader.ts';
import type { Random } from '../../runtime/random.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';

const SECRET_BYTES = 32;
/** Of connections that have not shown a secret yet; the oldest goes. Ours show it at once. */
const MAX_STRANGERS = 16;
const LOOPBACK = '127.0.0.1';

export interface Expected {
  /** To be the user name of the start-up packet: hex. */
  readonly secret: string;
  /** Settles with acra-server's connection; rejects when the signal aborts. */
  readonly arrived: Promise<Socket>;
}

export class EngineDatabase {
  readonly #random: Random;
  readonly #server: Server = createServer((socket) => this.#greet(socket));
  /** By SHA-256 of the secret, so that how long a look-up takes tells nothing of one. */
  readonly #expected = new Map<string, (socket: Socket) => void>();
  readonly #strangers = new Set<Socket>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** @param port 0: one that is free. @returns where acra-server is to find it. @throws the system's error when the port is taken */
  async start(port: number): Promise<TcpEndpoint> {
    this.#server.listen(port, LOOPBACK);
    await once(this.#server, 'listening');
    const address = this.#server.address();
    return { kind: 'tcp', host: LOOPBACK, port: typeof address === 'object' && address ? address.port : 0 };
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#strangers) socket.destroy();
    this.#expected.clear();
  }

  /** One connection, with a secret of its own that is good once, until the signal aborts. */
  expect(signal: AbortSignal): Expected {
    const secret = this.#random.bytes(SECRET_BYTES).toString('hex');
    const key = digest(secret);
    const arrived = new Promise<Socket>((resolve, reject) => {
      const forget = () => {
        this.#expected.delete(key);
        reject(signal.reason);
      };
      signal.addEventListener('abort', forget, { once: true });
      this.#expected.set(key, (socket) => {
        signal.removeEventListener('abort', forget);
        resolve(socket);
      });
    });
    arrived.catch(() => undefined);
    return { secret, arrived };
  }

  #greet(socket: Socket): void {
    const reader = new MessageReader({ isStartup: true, maxBytes: MAX_UNAUTHENTICATED_BYTES });
    const refuse = () => {
      this.#strangers.delete(socket);
      socket.destroy();
    };
    socket.on('error', refuse).once('close', refuse);
    const [oldest] = this.#strangers;
    if (this.#strangers.size >= MAX_STRANGERS) oldest?.destroy();
    this.#strangers.add(socket);
    const onData = (chunk: Buffer) => {
      const packet = firstPacket(reader, chunk);
      if (packet === 'more') return;
      const take = packet && this.#take(packet);
      if (!take) {
        refuse();
        return;
      }
      socket.off('data', onData).off('error', refuse).off('close', refuse).pause();
      this.#strangers.delete(socket);
      take(socket.setNoDelay());
    };
    socket.on('data', onData);
  }

  #take(packet: Buffer): ((socket: Socket) => void) | undefined {
    const key = digest(userOf(packet));
    const take = this.#expected.get(key);
    this.#expected.delete(key);
    return take;
  }
}

function digest(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** @returns undefined for what is no start-up packet, or has more behind it */
function firstPacket(reader: MessageReader, chunk: Buffer): Buffer | 'more' | undefined {
  try {
    const [first, ...others] = reader.push(chunk);
    if (others.length > 0) return undefined;
    return first ? first.body : 'more';
  } catch {
    return undefined;
  }
}

/** Int32 version, then names and values. */
function userOf(body: Buffer): string {
  const texts = body.toString('latin1', 4).split('\0');
  const at = texts.findIndex((text, index) => index % 2 === 0 && text === 'user');
  return at === -1 ? '' : (texts[at + 1] ?? '');
}
