/** Listens for DNS queries of programs, over UDP and TCP on one address of the loopback interface (RFC 1035 section 4.2, RFC 7766). */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Service } from '../../runtime/service.ts';
import { formatEndpoint, type TcpEndpoint } from '../../wire/endpoint.ts';
import { type AskName, answerDns, type DnsReply, MAX_UDP_BYTES } from './dns-answers.ts';
import { EgressProxyError } from './errors.ts';

const MAX_TCP_CONNECTIONS = 64;
const TCP_IDLE_MS = 5_000;
const LENGTH_BYTES = 2;
const MAX_MESSAGE_BYTES = 0xffff;
/** Of answers; who asks on without reading them is cut. */
const MAX_UNREAD_BYTES = 64 * 1024;

export interface DnsServerDeps {
  readonly listen: TcpEndpoint;
  readonly ask: AskName;
  readonly onOutcome: (outcome: DnsReply['outcome']) => void;
}

export class DnsServer implements Service {
  readonly #deps: DnsServerDeps;
  readonly #udp: UdpSocket;
  readonly #tcp: Server;
  readonly #open = new Set<Socket>();
  #isClosed = false;

  constructor(deps: DnsServerDeps) {
    this.#deps = deps;
    this.#udp = createSocket({ type: deps.listen.host.includes(':') ? 'udp6' : 'udp4' });
    this.#udp.on('message', (message, { port, address }) => {
      void this.#answer(message, MAX_UDP_BYTES).then((reply) => {
        if (reply !== undefined && !this.#isClosed) this.#udp.send(reply, port, address, () => undefined);
      });
    });
    this.#tcp = createServer((socket) => this.#accept(socket));
    this.#tcp.maxConnections = MAX_TCP_CONNECTIONS;
  }

  /** @throws EgressProxyError EGRESS_BIND */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { host, port } = this.#deps.listen;
    try {
      this.#tcp.listen({ host, port });
      await once(this.#tcp, 'listening', { signal });
      // Who is told no port gets the same for both: one that is free of TCP, of which connections have more.
      const { port: same } = this.#tcp.address() as AddressInfo;
      this.#udp.bind({ port: same, address: host, exclusive: true });
      await once(this.#udp, 'listening', { signal });
    } catch (cause) {
      await this.stop();
      signal.throwIfAborted();
      throw new EgressProxyError('EGRESS_BIND', `cannot listen on ${formatEndpoint(this.#deps.listen)} for DNS`, {
        cause,
      });
    }
  }

  /** The port is the real one when 0 was asked for. */
  get address(): TcpEndpoint {
    const { address, port } = this.#udp.address();
    return { kind: 'tcp', host: address, port };
  }

  async stop(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    if (this.#tcp.listening) await new Promise<void>((resolve) => this.#tcp.close(() => resolve()));
    if (this.#isClosed) return;
    this.#isClosed = true;
    await new Promise<void>((resolve) => this.#udp.close(resolve));
  }

  async #answer(message: Buffer, maxBytes: number): Promise<Buffer | undefined> {
    const reply = await answerDns(message, maxBytes, this.#deps.ask);
    if (reply !== undefined) this.#deps.onOutcome(reply.outcome);
    return reply?.message;
  }

  #accept(socket: Socket): void {
    this.#open.add(socket);
    socket.on('error', () => socket.destroy()).once('close', () => this.#open.delete(socket));
    socket.setTimeout(TCP_IDLE_MS, () => socket.destroy());
    void this.#serve(socket).catch(() => socket.destroy());
  }

  /** One query after the other, each behind its length. */
  async #serve(socket: Socket): Promise<void> {
    let pending = Buffer.alloc(0);
    for await (const chunk of socket) {
      pending = Buffer.concat([pending, chunk as Buffer]);
      for (let query = queryIn(pending); query !== undefined; query = queryIn(pending)) {
        pending = pending.subarray(LENGTH_BYTES + query.length);
        const reply = await this.#answer(query, MAX_MESSAGE_BYTES);
        if (reply === undefined) return;
        const length = Buffer.alloc(LENGTH_BYTES);
        length.writeUInt16BE(reply.length);
        socket.write(Buffer.concat([length, reply]));
        if (socket.writableLength <= MAX_UNREAD_BYTES) continue;
        socket.destroy();
        return;
      }
    }
  }
}

/** Undefined while it is not whole. */
function queryIn(pending: Buffer): Buffer | undefined {
  if (pending.length < LENGTH_BYTES) return undefined;
  const end = LENGTH_BYTES + pending.readUInt16BE(0);
  return pending.length < end ? undefined : pending.subarray(LENGTH_BYTES, end);
}
