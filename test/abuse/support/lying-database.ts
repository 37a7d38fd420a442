/**
 * A database that lies: it stands before the real PostgreSQL, shows the certificate that the enclave trusts, and changes what is said,
 * to those sessions alone that ask for it by their application_name. A login through it is real (its certificate is the
 * database's own, so that channel binding holds), unless the lie is about the login.
 */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, type SecureContextOptions, TLSSocket, type TlsOptions } from 'node:tls';
import type { Test } from 'tap';
import { DATABASE_NAME } from '../../../cli/demo/certificates.ts';
import type { Stack } from '../../../cli/demo/stack.ts';
import { type Message, MessageReader } from '../../../postgres/message-reader.ts';
import { decodeStartupMessage } from '../../../postgres/startup-message.ts';
import { connectDatabase } from '../../../sessions/edge/database-connection.ts';

const HUGE = 1024 * 1024 * 1024;

/** One session that is lied to. */
export interface LiedTo {
  /** The enclave's end, inside TLS. */
  readonly socket: TLSSocket;
  /** What the enclave has sent since the start-up packet, by message. */
  readonly heard: Message[];
}

export interface Lie {
  /** Plays the server itself; the real one is not asked. Called once, behind the start-up packet. */
  readonly play?: (session: LiedTo) => void;
  /** Of one that plays: what the enclave says then. */
  readonly hear?: (message: Message, session: LiedTo) => void;
  /** What the enclave gets in place of a message of the database; behind the first ReadyForQuery. */
  readonly change?: (message: Message, session: LiedTo) => readonly Buffer[];
}

/** What becomes of the next connection before TLS. */
export type EarlyLie = (socket: Socket) => void;

export class LyingDatabase {
  readonly #server: Server = createServer((socket) => void this.#serve(socket));
  readonly #sockets = new Set<Socket>();
  readonly #lieOf = new WeakMap<LiedTo, Lie>();
  #stack: Stack | undefined;
  /** By application_name. */
  readonly lies = new Map<string, Lie>();
  /** For connections from now on. */
  early: EarlyLie | undefined;
  /** Sessions that were lied to, in order. */
  readonly liedTo: LiedTo[] = [];

  static async start(t: Test): Promise<LyingDatabase> {
    const own = new LyingDatabase();
    own.#server.listen(0, '127.0.0.1');
    await once(own.#server, 'listening');
    t.teardown(() => {
      own.#server.close();
      for (const socket of own.#sockets) socket.destroy();
    });
    return own;
  }

  /** For host-proxy. */
  get endpoint(): string {
    const address = this.#server.address();
    return `tcp://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  }

  /** Whom it stands before, and whose certificate it shows. */
  standBefore(stack: Stack): void {
    this.#stack = stack;
  }

  async #serve(socket: Socket): Promise<void> {
    this.#sockets.add(socket);
    socket.setNoDelay().on('error', () => undefined);
    socket.once('close', () => this.#sockets.delete(socket));
    if (!this.#stack) return;
    const { early } = this;
    // A socket that nobody reads does not notice its end.
    if (early) socket.once('data', () => early(socket)).once('end', () => socket.destroy());
    else
      await once(socket, 'data').then(
        () => this.secure(socket.pause()),
        () => undefined,
      );
  }

  /** Answers the request for TLS, and goes on inside of it. @param certificate default: the database's own */
  secure(socket: Socket, options: SecureContextOptions & TlsOptions = {}): void {
    const { database } = (this.#stack as Stack).parts.certificates;
    socket.write('S');
    const secureContext = createSecureContext({
      cert: database.certificatePem,
      key: database.privateKeyPem,
      ...options,
    });
    const near = new TLSSocket(socket, { isServer: true, secureContext, ALPNProtocols: ['postgresql'], ...options });
    near.on('error', () => undefined);
    this.#speak(near);
  }

  #speak(near: TLSSocket): void {
    const reader = new MessageReader({ isStartup: true, maxBytes: HUGE });
    let session: LiedTo | undefined;
    let far: Promise<TLSSocket | undefined> | undefined;
    near.on('data', (chunk: Buffer) => {
      for (const message of reader.push(chunk)) {
        if (message.type === '') {
          const lie = this.#lieFor(message.frame);
          if (lie) {
            session = { socket: near, heard: [] };
            this.#lieOf.set(session, lie);
            this.liedTo.push(session);
          }
          if (lie?.play && session) lie.play(session);
          else far = this.#dial(near, lie, session);
        } else if (session) {
          session.heard.push(message);
          this.#lieOf.get(session)?.hear?.(message, session);
        }
        void far?.then((dialled) => dialled?.write(message.frame));
      }
    });
    near.once('close', () => void far?.then((dialled) => dialled?.destroy()));
  }

  #lieFor(frame: Buffer): Lie | undefined {
    try {
      return this.lies.get(decodeStartupMessage(frame).parameters.get('application_name') ?? '');
    } catch {
      return undefined;
    }
  }

  async #dial(near: TLSSocket, lie: Lie | undefined, session: LiedTo | undefined): Promise<TLSSocket | undefined> {
    const { postgres, certificates } = (this.#stack as Stack).parts;
    const target = {
      address: { kind: 'tcp', host: postgres.host, port: postgres.port },
      serverName: DATABASE_NAME,
      caPem: certificates.databaseCaPem,
      minTls: 'TLSv1.3',
    } as const;
    const far = await connectDatabase(target, AbortSignal.timeout(10_000)).catch(() => undefined);
    if (!far) {
      near.destroy();
      return undefined;
    }
    far.once('close', () => near.destroy());
    const reader = new MessageReader({ isStartup: false, maxBytes: HUGE });
    let isReady = false;
    far.on('data', (chunk: Buffer) => {
      for (const message of reader.push(chunk)) {
        const parts = isReady && lie?.change && session ? lie.change(message, session) : [message.frame];
        for (const part of parts) if (!near.destroyed) near.write(part);
        isReady ||= message.type === 'Z';
      }
    });
    return far;
  }
}
