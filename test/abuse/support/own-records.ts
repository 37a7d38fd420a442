/**
 * A client whose TLS 1.3 records are its own: Node does the handshake and reads, and what is sent after that is sealed here, so that it can
 * say what Node never would: requests for new keys without end. RFC 8446 sections 4.6.3 (KeyUpdate), 5.2, 5.3 (records), 7.1, 7.2, 7.3 (keys).
 */
import { createCipheriv, createHmac } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { ENCLAVE_NAME } from '../../../cli/demo/certificates.ts';
import type { IssuedCertificate } from '../../../emulator/pki/authority.ts';
import { closed } from '../../support/closed.ts';
import type { Attacked } from './attacked.ts';
import { dial } from './raw-client.ts';

const TYPES = { handshake: 0x16, data: 0x17 } as const;
const HASH_BYTES = 32;
const KEY_BYTES = 16;
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** KeyUpdate, and the other side is to do the same. */
const KEY_UPDATE_REQUESTED = Buffer.from('1800000101', 'hex');

/** HKDF-Expand-Label with an empty context, for at most one block of SHA-256. */
function expand(secret: Buffer, label: string, bytes: number): Buffer {
  const name = `tls13 ${label}`;
  const info = Buffer.concat([Buffer.of(0, bytes, name.length), Buffer.from(name), Buffer.of(0, 1)]);
  return createHmac('sha256', secret).update(info).digest().subarray(0, bytes);
}

/** What one side sends, under keys that it may change. */
class Sealer {
  #secret: Buffer;
  #key: Buffer = Buffer.alloc(0);
  #iv: Buffer = Buffer.alloc(0);
  #sequence = 0;

  constructor(secret: Buffer) {
    this.#secret = secret;
    this.#derive();
  }

  seal(type: number, content: Buffer): Buffer {
    const header = Buffer.of(0x17, 3, 3, 0, 0);
    header.writeUInt16BE(content.length + 1 + TAG_BYTES, 3);
    const nonce = Buffer.from(this.#iv);
    nonce.writeUInt32BE((nonce.readUInt32BE(IV_BYTES - 4) ^ this.#sequence) >>> 0, IV_BYTES - 4);
    this.#sequence += 1;
    const cipher = createCipheriv('aes-128-gcm', this.#key, nonce).setAAD(header);
    const sealed = [cipher.update(content), cipher.update(Buffer.of(type)), cipher.final()];
    return Buffer.concat([header, ...sealed, cipher.getAuthTag()]);
  }

  /** A request for new keys, behind which this side uses its next ones. */
  update(): Buffer {
    const record = this.seal(TYPES.handshake, KEY_UPDATE_REQUESTED);
    this.#secret = expand(this.#secret, 'traffic upd', HASH_BYTES);
    this.#derive();
    return record;
  }

  #derive(): void {
    this.#key = expand(this.#secret, 'key', KEY_BYTES);
    this.#iv = expand(this.#secret, 'iv', IV_BYTES);
    this.#sequence = 0;
  }
}

/** The socket as Node's TLS sees it. */
function wireTo(socket: Socket): Duplex {
  const wire = new Duplex({
    read: () => void socket.resume(),
    write: (chunk: Buffer, _encoding, done) => void socket.write(chunk, () => done()),
    destroy: (error, done) => done(error),
  });
  socket.on('data', (chunk: Buffer) => {
    if (!wire.push(chunk)) socket.pause();
  });
  socket.once('close', () => wire.destroy());
  return wire;
}

/** Rejects when it is closed: a TLS of Node's over a stream of ours does not always tell. */
async function closedEarly(socket: Socket): Promise<never> {
  await closed(socket);
  throw new Error('closed in its handshake');
}

export class OwnRecords {
  readonly socket: Socket;
  /** What the other side says; nothing may be written to it. */
  readonly heard: TLSSocket;
  readonly #sealer: Sealer;

  private constructor(socket: Socket, heard: TLSSocket, secret: Buffer) {
    this.socket = socket;
    this.heard = heard;
    this.#sealer = new Sealer(secret);
  }

  /** @param localAddress from where it comes. @param protocol by ALPN */
  static open(
    target: Attacked,
    certificate?: IssuedCertificate,
    localAddress?: string,
    protocol = 'postgresql',
  ): Promise<OwnRecords> {
    const own = certificate && { cert: certificate.certificatePem, key: certificate.privateKeyPem };
    const { applicationCaPem: ca } = target.stack.parts.certificates;
    return OwnRecords.over(dial(target, localAddress), {
      ca,
      servername: ENCLAVE_NAME,
      ALPNProtocols: [protocol],
      ...own,
    });
  }

  /** @param options of the handshake */
  static async over(socket: Socket, options: ConnectionOptions): Promise<OwnRecords> {
    const heard = connectTls({
      ALPNProtocols: ['postgresql'],
      ...options,
      socket: wireTo(socket),
      ciphers: 'TLS_AES_128_GCM_SHA256',
    });
    let secret = '';
    heard
      .on('error', () => undefined)
      .on('keylog', (line: Buffer) => {
        secret = /^CLIENT_TRAFFIC_SECRET_0 \S+ (\S+)/.exec(line.toString('latin1'))?.[1] ?? secret;
      });
    await Promise.race([once(heard, 'secureConnect'), closedEarly(socket)]);
    return new OwnRecords(socket, heard, Buffer.from(secret, 'hex'));
  }

  say(bytes: Buffer): void {
    this.socket.write(this.#sealer.seal(TYPES.data, bytes));
  }

  /** Asks for new keys so many times at once. @returns false while the other side does not take it as fast */
  askForKeys(times: number): boolean {
    return this.socket.write(Buffer.concat(Array.from({ length: times }, () => this.#sealer.update())));
  }
}
