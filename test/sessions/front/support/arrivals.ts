/** A front with real TLS, a guard that takes every session and is silent, and clients that come through a parent of ours. */
import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { Test } from 'tap';
import { SSL_REQUEST } from '../../../../postgres/start-up.ts';
import { encodeStartupMessage } from '../../../../postgres/startup-message.ts';
import { SecretBuffer } from '../../../../runtime/secret-buffer.ts';
import { Front } from '../../../../sessions/front/front.ts';
import type { FromFront, FrontCounts, ServeFront } from '../../../../sessions/messages.ts';
import { encodeProxyHeader } from '../../../../wire/proxy-protocol.ts';
import { GOOD, type Issuer, type Made, makeCertificate } from '../../../keys/support/certificate-maker.ts';
import { closed } from '../../../support/closed.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { MemoryLogger } from '../../../support/memory-logger.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { LIMITS } from './front-rig.ts';

/** So many that no test comes near them by chance. */
const MANY: ServeFront['limits'] = {
  ...LIMITS,
  maxPending: 100,
  maxSessions: 100,
  maxSessionsPerClient: 100,
  maxConnectionsPerAddress: 100,
};
const STARTUP = encodeStartupMessage({ minor: 0, parameters: new Map([['user', 'app']]) });

export interface Identity extends Pick<Made, 'pem' | 'keyPem'> {
  /** What stands between it and the CA. */
  readonly chain?: readonly Issuer[];
}

interface Options {
  readonly limits?: Partial<ServeFront['limits']>;
  readonly attestation?: Partial<ServeFront['limits']['attestation']>;
  readonly minTls?: ServeFront['minTls'];
  readonly revoked?: ServeFront['revoked'];
}

export class Arrivals {
  readonly authority: Made;
  readonly client: Made;
  readonly clock = new FakeClock(Date.now());
  readonly logger = new MemoryLogger();
  readonly told: FromFront[] = [];
  /** What the guard has been handed. */
  readonly sessions: Socket[] = [];
  readonly #test: Test;
  readonly #folder: string;
  #front: Front | undefined;
  #server: Made | undefined;

  constructor(t: Test) {
    this.#test = t;
    this.#folder = temporaryFolder(t);
    const nowMs = this.clock.nowMs();
    this.authority = makeCertificate(GOOD.authority, nowMs);
    this.client = makeCertificate({ ...GOOD.client, serial: '0a1b' }, nowMs, this.authority);
  }

  async start({ limits, attestation, minTls = 'TLSv1.3', revoked = [] }: Options = {}): Promise<void> {
    const { clock, logger, authority } = this;
    const server = makeCertificate(GOOD.server, clock.nowMs(), authority);
    this.#server = server;
    const guardPath = join(this.#folder, 'guard');
    const guard = createServer((socket) => this.sessions.push(socket.on('error', () => undefined).resume()));
    await once(guard.listen(guardPath), 'listening');
    const send = (message: { readonly type: string }) => {
      this.told.push(message as FromFront);
      if (message.type !== 'guard-wanted') return;
      const { clientId } = message as Extract<FromFront, { type: 'guard-wanted' }>;
      front.answered({ type: 'guard', clientId, path: guardPath });
    };
    const options: ServeFront = {
      type: 'serve',
      listenPath: this.#path,
      certificatePem: server.pem,
      clientCaPem: authority.pem,
      minTls,
      clientIdFrom: 'distinguished_name',
      revoked,
      database: {
        address: { kind: 'tcp', host: '127.0.0.1', port: 1 },
        serverName: 'db',
        caPem: authority.pem,
        minTls: 'TLSv1.3',
      },
      limits: { ...MANY, ...limits, attestation: { ...MANY.attestation, ...attestation } },
    };
    const front = new Front({ send, logger, clock }, options, SecretBuffer.take(Buffer.from(server.keyPem)));
    await front.start();
    this.#front = front;
    this.#test.teardown(() => {
      front.drain();
      guard.close();
      for (const socket of this.sessions) socket.destroy();
    });
  }

  /** As the supervisor does. */
  answer(answer: Parameters<Front['answered']>[0]): void {
    this.#front?.answered(answer);
  }

  /** Another certificate, as the supervisor tells of it. */
  show({ isOfAnotherKey }: { readonly isOfAnotherKey: boolean }): void {
    const key = isOfAnotherKey ? undefined : this.#server?.key;
    const server = makeCertificate({ ...GOOD.server, ...(key && { key }) }, this.clock.nowMs(), this.authority);
    this.#front?.show(server.pem, SecretBuffer.take(Buffer.from(server.keyPem)));
  }

  get #path(): string {
    return join(this.#folder, 'front');
  }

  /** What the parent dials for whoever connects from there; undefined: it knows no address. */
  async dial(address: string | undefined, bytes: Buffer = Buffer.alloc(0)): Promise<Socket> {
    const socket = await this.dialBare();
    socket.write(Buffer.concat([encodeProxyHeader(address === undefined ? undefined : { address, port: 5 }), bytes]));
    return socket;
  }

  async dialBare(): Promise<Socket> {
    const socket = createConnection(this.#path).on('error', () => undefined);
    this.#test.teardown(() => socket.destroy());
    await once(socket, 'connect');
    return socket;
  }

  /** Up to the start-up packet, as `identity`. @returns what follows it */
  async logIn(address: string | undefined, identity: Identity = this.client): Promise<TLSSocket> {
    const socket = await this.dial(address, SSL_REQUEST);
    await once(socket, 'data');
    const cert = [identity.pem, ...(identity.chain ?? []).map(({ pem }) => pem)].join('');
    const secured = connectTls({
      socket,
      cert,
      key: identity.keyPem,
      ca: this.authority.pem,
      servername: 'records.test',
    });
    secured.on('error', () => undefined);
    await once(secured, 'secureConnect');
    secured.write(STARTUP);
    return secured;
  }

  /** The guard has so many sessions. */
  async untilSessions(count: number): Promise<void> {
    while (this.sessions.length < count) await new Promise((resolve) => setImmediate(resolve));
  }

  get counts(): readonly FrontCounts[] {
    return this.told.filter((message) => message.type === 'counts');
  }

  /** What is told after a second. */
  async nextCounts(): Promise<FrontCounts> {
    const before = this.counts.length;
    this.clock.advance(1_000);
    for (;;) {
      const counts = this.counts[before];
      if (counts) return counts;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

/** Everything up to the end of the connection, as text. */
export async function lastWords(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await closed(socket);
  return Buffer.concat(chunks).toString('latin1');
}
