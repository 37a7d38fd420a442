/**
 * A session that says what it is told to, message by message: as cheap as a client can be, so that the machine is left to what is measured, and
 * able to do what drivers do not (stop in the middle of anything). Waits for one answer at a time.
 */
import { randomInt } from 'node:crypto';
import { createConnection, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { ENCLAVE_NAME } from '../../../cli/demo/certificates.ts';
import { APPLICATION, DATABASE } from '../../../cli/demo/database.ts';
import type { IssuedCertificate } from '../../../emulator/pki/authority.ts';
import { type CancelKey, decodeBackendKeyData } from '../../../postgres/cancel-request.ts';
import { parseError } from '../../../postgres/error-response.ts';
import { MessageReader } from '../../../postgres/message-reader.ts';
import { encodeMessage } from '../../../postgres/messages.ts';
import { SSL_REQUEST } from '../../../postgres/start-up.ts';
import { encodeStartupMessage } from '../../../postgres/startup-message.ts';
import type { TcpEndpoint } from '../../../wire/endpoint.ts';

export interface Target {
  readonly address: TcpEndpoint;
  /** Of the authority of the enclave's certificate. */
  readonly caPem: string;
  readonly certificate: IssuedCertificate;
  /** From where; default: whatever the system chooses. */
  readonly localAddress?: string;
}

const MAX_BYTES = 64 * 1024 * 1024;
const TERMINATE = encodeMessage('X');
const STARTUP = encodeStartupMessage({
  minor: 0,
  parameters: new Map([
    ['user', APPLICATION.user],
    ['database', DATABASE],
  ]),
});

export function dial({ address: { host, port }, localAddress }: Target): Socket {
  return createConnection({ host, port, noDelay: true, ...(localAddress === undefined ? {} : { localAddress }) });
}

/** Resolves when it happens, or when the socket is closed. */
export function happens(socket: Socket, event: 'connect' | 'data' | 'secureConnect'): Promise<boolean> {
  return new Promise((resolve) => {
    socket.once(event, () => resolve(true)).once('close', () => resolve(false));
  });
}

interface Secured {
  readonly plain: Socket;
  readonly socket: TLSSocket;
}

/** Half of the sessions ask for TLS first, half begin with it. @param certificate null: none is shown */
export async function secured(target: Target, certificate: IssuedCertificate | null): Promise<Secured> {
  const plain = dial(target).on('error', () => undefined);
  const asks = randomInt(2) === 0;
  if (asks) {
    plain.write(SSL_REQUEST);
    if (!(await happens(plain, 'data'))) throw new Error('the connection ended');
  }
  const socket = connectTls({
    socket: plain,
    ca: target.caPem,
    servername: ENCLAVE_NAME,
    ...(asks ? {} : { ALPNProtocols: ['postgresql'] }),
    ...(certificate ? { cert: certificate.certificatePem, key: certificate.privateKeyPem } : {}),
  }).on('error', () => undefined);
  return { plain, socket };
}

export class LoadClient {
  readonly #plain: Socket;
  readonly #socket: TLSSocket;
  /** SQLSTATEs since the last `take`. */
  #codes: string[] = [];
  cancelKey: CancelKey | undefined;
  #awaited = '';
  #left = 0;
  #settle: { resolve: () => void; reject: (error: Error) => void } | undefined;

  private constructor({ plain, socket }: Secured) {
    this.#plain = plain;
    this.#socket = socket;
    const reader = new MessageReader({ isStartup: false, maxBytes: MAX_BYTES });
    socket.on('data', (chunk: Buffer) => {
      for (const { type, body } of reader.push(chunk)) this.#take(type, body);
    });
    socket.once('close', () => this.#settle?.reject(new Error('the session ended')));
  }

  /** @param certificate null: none is shown. @throws where the session is refused */
  static async open(target: Target, certificate: IssuedCertificate | null = target.certificate): Promise<LoadClient> {
    const client = new LoadClient(await secured(target, certificate));
    await client.ask(STARTUP);
    client.takeCodes();
    return client;
  }

  /** Resolves with so many ReadyForQuery. */
  async ask(message: Buffer, readies = 1): Promise<void> {
    const waited = this.#until('Z', readies);
    this.#socket.write(message);
    await waited;
  }

  /** Resolves with the first message of one of these types. */
  async askFor(types: string, message: Buffer): Promise<void> {
    const waited = this.#until(types, 1);
    this.#socket.write(message);
    await waited;
  }

  takeCodes(): string[] {
    const codes = this.#codes;
    this.#codes = [];
    return codes;
  }

  /** Whatever comes from now on. */
  send(message: Buffer): void {
    this.#socket.write(message);
  }

  async end(): Promise<void> {
    this.#socket.end(TERMINATE);
    await this.closed();
  }

  /** In the middle of whatever there is. */
  reset(): void {
    this.#plain.resetAndDestroy();
  }

  async closed(): Promise<void> {
    if (!this.#socket.closed) await new Promise<void>((resolve) => this.#socket.once('close', () => resolve()));
  }

  #until(types: string, count: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#socket.closed || this.#socket.destroyed) reject(new Error('the session has ended'));
      this.#awaited = types;
      this.#left = count;
      this.#settle = { resolve, reject };
    });
  }

  #take(type: string, body: Buffer): void {
    if (type === 'E') this.#codes.push(parseError(body).sqlState);
    if (type === 'K') this.cancelKey = decodeBackendKeyData(Buffer.from(body));
    if (!this.#awaited.includes(type)) return;
    this.#left -= 1;
    if (this.#left > 0) return;
    this.#awaited = '';
    this.#settle?.resolve();
    this.#settle = undefined;
  }
}
