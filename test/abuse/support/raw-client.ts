/** A client that says whatever it is told to, at any stage before and in a session. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { ENCLAVE_NAME } from '../../../cli/demo/certificates.ts';
import { APPLICATION, DATABASE } from '../../../cli/demo/database.ts';
import type { IssuedCertificate } from '../../../emulator/pki/authority.ts';
import { type ErrorReport, parseError } from '../../../postgres/error-response.ts';
import { type Message, MessageReader } from '../../../postgres/message-reader.ts';
import { encodeStartupMessage } from '../../../postgres/startup-message.ts';
import { untilAborted } from '../../../runtime/abort.ts';
import type { ServingStack } from '../../support/stack.ts';

/** For an answer or an end; then a test says what is missing. */
const PATIENCE_MS = 20_000;

type Target = Pick<ServingStack, 'stack' | 'address'>;

export function startupPacket(parameters: Readonly<Record<string, string>> = {}): Buffer {
  const all = { user: APPLICATION.user, database: DATABASE, ...parameters };
  return encodeStartupMessage({ minor: 0, parameters: new Map(Object.entries(all)) });
}

/** @param statedBytes the length that it claims, itself included; default: the true one */
export function frame(type: string, body: Buffer | string = '', statedBytes?: number): Buffer {
  const bytes = typeof body === 'string' ? Buffer.from(body, 'latin1') : body;
  const header = Buffer.alloc(5);
  header.write(type, 'latin1');
  header.writeUInt32BE((statedBytes ?? bytes.length + 4) >>> 0, 1);
  return Buffer.concat([header, bytes]);
}

/** A TCP connection to the public port, errors ignored; tests look at what it gets and that it ends. */
export function dial({ address }: Target, localAddress?: string): Socket {
  const options = localAddress === undefined ? {} : { localAddress };
  return connect({ host: address.host, port: address.port, noDelay: true, ...options }).on('error', () => undefined);
}

/** Everything that comes until the end. */
export async function drain(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  if (!socket.destroyed) await once(socket, 'close').catch(() => undefined);
  return Buffer.concat(chunks);
}

/** TLS at once (ALPN postgresql). Rejects when the handshake fails. */
export async function secure(
  target: Target,
  certificate: IssuedCertificate | undefined,
  options: ConnectionOptions = {},
): Promise<TLSSocket> {
  const socket = connectTls({
    host: target.address.host,
    port: target.address.port,
    ca: target.stack.parts.certificates.applicationCaPem,
    servername: ENCLAVE_NAME,
    ALPNProtocols: ['postgresql'],
    ...(certificate ? { cert: certificate.certificatePem, key: certificate.privateKeyPem } : {}),
    ...options,
  });
  await once(socket, 'secureConnect');
  return socket.on('error', () => undefined).setNoDelay();
}

/** A session that has been opened, or was refused. */
export class RawClient {
  readonly socket: TLSSocket;
  readonly received: Message[] = [];
  #wake = () => {};
  #hasEnded = false;

  constructor(socket: TLSSocket) {
    this.socket = socket;
    const reader = new MessageReader({ isStartup: false, maxBytes: 256 * 1024 * 1024 });
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const message of reader.push(chunk)) this.received.push(message);
      } catch {
        socket.destroy();
      }
      this.#wake();
    });
    socket.once('close', () => {
      this.#hasEnded = true;
      this.#wake();
    });
  }

  /** Logs in up to ReadyForQuery. @param parameters of the start-up packet */
  static async open(
    target: Target,
    certificate: IssuedCertificate,
    parameters: Readonly<Record<string, string>> = {},
  ): Promise<RawClient> {
    const client = new RawClient(await secure(target, certificate));
    client.send(startupPacket(parameters));
    await client.untilType('Z');
    client.received.length = 0;
    return client;
  }

  send(...parts: readonly Buffer[]): void {
    if (!this.socket.destroyed) this.socket.write(Buffer.concat(parts));
  }

  /** Waits for any message behind those that there are. */
  async untilMore(): Promise<'came' | 'ended' | 'silent'> {
    const before = this.received.length;
    return this.#until(() => this.received.length > before);
  }

  /** Waits for a message of this type. */
  async untilType(type: string): Promise<'came' | 'ended' | 'silent'> {
    return this.#until(() => this.received.some((message) => message.type === type));
  }

  async #until(hasCome: () => boolean): Promise<'came' | 'ended' | 'silent'> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    while (!signal.aborted) {
      if (hasCome()) return 'came';
      if (this.#hasEnded) return 'ended';
      const changed = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      await untilAborted(changed, signal).catch(() => undefined);
    }
    return 'silent';
  }

  /** Waits for the end of the connection. */
  untilEnd(): Promise<'came' | 'ended' | 'silent'> {
    return this.#until(() => false);
  }

  get types(): string {
    return this.received.map(({ type }) => type).join('');
  }

  /** Of all ErrorResponses. */
  get errors(): readonly ErrorReport[] {
    return this.received.filter(({ type }) => type === 'E').map(({ body }) => parseError(body));
  }
}
