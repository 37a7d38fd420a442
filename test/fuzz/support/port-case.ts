/** A port's end for requests between a client that says some bytes and a program that answers as a case wants, over real sockets to it. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import type { PortClient } from '../../../sessions/ports/client.ts';
import { HttpProgram } from '../../../sessions/ports/http/http-program.ts';
import type { ServedPort } from '../../../sessions/ports/messages.ts';
import { streamPair, writeInPieces } from '../../sessions/support/streams.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { MemoryLogger } from '../../support/memory-logger.ts';

const CLIENT: PortClient = {
  source: { address: '192.0.2.7', port: 7 },
  certificate: { subject: 'CN=real', sha256: 'ab', endsMs: 0 },
};

/** Turns of the event loop in which nothing happens: then nothing more will. */
const QUIET_TURNS = 12;
const LIMITS: ServedPort['limits'] = {
  handshakeMs: 1_000,
  connectTimeoutMs: 1_000,
  prefaceTimeoutMs: 1_000,
  maxConnections: 10,
  maxPending: 10,
  maxConnectionsPerAddress: 10,
};

type Answer = (heard: string) => Buffer | undefined;

/** One for all cases, which come one after the other. */
class Program {
  #answer: Answer = () => undefined;
  /** What came on each connection, in Latin-1. */
  heard: string[] = [];
  readonly #open = new Set<Socket>();
  #activity = 0;
  readonly #server = createServer({ allowHalfOpen: true }, (socket) => this.#serve(socket)).unref();

  async port(): Promise<number> {
    if (!this.#server.listening) await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  begin(answer: Answer): void {
    this.#answer = answer;
    this.heard = [];
  }

  get activity(): number {
    return this.#activity;
  }

  /** Without a trace that the next case could meet. */
  async end(): Promise<void> {
    while (this.#open.size > 0) {
      for (const socket of this.#open) socket.resetAndDestroy();
      await setImmediate();
    }
  }

  #serve(socket: Socket): void {
    const index = this.heard.push('') - 1;
    this.#open.add(socket);
    let isAnswered = false;
    socket.on('error', () => undefined).once('close', () => this.#open.delete(socket));
    socket.on('data', (chunk: Buffer) => {
      this.#activity += 1;
      this.heard[index] += chunk.toString('latin1');
      const answer = isAnswered ? undefined : this.#answer(this.heard[index] ?? '');
      if (answer === undefined) return;
      isAnswered = true;
      socket.end(answer);
    });
  }
}

const program = new Program();

export interface CaseOutcome {
  /** What the program heard on each of its connections. */
  readonly heard: readonly string[];
  /** What the client was told. */
  readonly told: string;
  /** The port ended the connection. */
  readonly isClosed: boolean;
  /** A defect of ours ended it. */
  readonly broke: boolean;
}

/** @param answer of what the program heard so far on a connection; undefined while it waits for more */
export async function portCase(bytes: Buffer, cuts: readonly number[], answer: Answer): Promise<CaseOutcome> {
  program.begin(answer);
  const clock = new FakeClock();
  const logger = new MemoryLogger();
  const port: ServedPort = {
    name: 'web',
    listenPath: '/nowhere',
    to: { kind: 'tcp', host: '127.0.0.1', port: await program.port() },
    protocol: 'http',
    minTls: 'TLSv1.3',
    clientCaPem: undefined,
    revoked: [],
    proxyProtocol: false,
    limits: LIMITS,
  };
  const behind = new HttpProgram({ port, clock, logger, refused: () => undefined });
  const { own, peer } = streamPair();
  const chunks: Buffer[] = [];
  let isClosed = false;
  peer.on('data', (chunk: Buffer) => chunks.push(chunk)).once('end', () => (isClosed = true));
  own.once('close', () => (isClosed = true));
  // A stream without TLS: what is said inside it is the same.
  behind.serve(own as unknown as TLSSocket, CLIENT, { rests: () => undefined, works: () => undefined });
  await writeInPieces(peer, bytes, cuts);
  const activity = () => program.activity + chunks.length;
  for (let quiet = 0, before = activity(); quiet < QUIET_TURNS && !isClosed; quiet += 1) {
    await setImmediate();
    if (activity() !== before) [quiet, before] = [0, activity()];
  }
  const outcome = {
    heard: program.heard,
    told: Buffer.concat(chunks).toString('latin1'),
    isClosed,
    broke: logger.events().includes('port.request-failed'),
  };
  own.destroy();
  peer.destroy();
  await program.end();
  return outcome;
}
