/**
 * Messages between a daemon and a program of ours that it has launched, over a pair of connected sockets that the program inherits
 * as descriptor 4 (launch.ts). A message is plain data; secrets travel beside it as bytes and never become text.
 *
 *   frame:  u32 length of all that follows | u32 length of the JSON | JSON, UTF-8 | for each secret: u32 length, bytes    (big-endian)
 */
import type { Duplex } from 'node:stream';
import type { Clock } from '../../runtime/clock.ts';
import { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { TokenBucket } from '../../runtime/token-bucket.ts';
import { SystemError } from '../errors.ts';

const LENGTH_BYTES = 4;
/** The largest message holds an encryptor configuration and some certificates. */
const MAX_FRAME_BYTES = 16 * 1024 * 1024;
/** Whoever asks on and reads no answer, as a program under somebody else's control may, would fill our memory. */
const MAX_WAITING_BYTES = 2 * MAX_FRAME_BYTES;

/**
 * What is heard of an end that may be under somebody else's control. Over the rate its messages wait in its own buffers: it waits, and
 * nobody else does.
 */
const HEARD = { maxFrameBytes: 256 * 1024, burst: 4_000, perSecond: 2_000, restMs: 50 } as const;
/** A message counts once for each that it begins: long ones cost their reader more. */
const WEIGHED_BYTES = 4_096;

export interface ChannelHandlers {
  /** Whoever gets the secrets disposes them. Not yet checked: the other end may be under somebody else's control. */
  readonly onMessage: (message: unknown, secrets: readonly SecretBuffer[]) => void;
  /** Once, when the other end is gone, has sent what is no frame, or does not read. */
  readonly onEnd: (fault: SystemError | undefined) => void;
}

function malformed(found: string): SystemError {
  return new SystemError('SYSTEM_CHANNEL', 'a program of ours sent what is no message', { found });
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(LENGTH_BYTES);
  bytes.writeUInt32BE(value);
  return bytes;
}

function unpooledCopy(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}

export class Channel {
  readonly #stream: Duplex;
  readonly #handlers: ChannelHandlers;
  readonly #clock: Clock | undefined;
  readonly #rate: TokenBucket | undefined;
  readonly #ended = new AbortController();
  #pending: Buffer = Buffer.alloc(0);
  #rests = false;

  /** @param paceBy where the other end may be under somebody else's control: bounds how much of it is heard a second */
  constructor(stream: Duplex, handlers: ChannelHandlers, paceBy?: Clock) {
    this.#stream = stream;
    this.#handlers = handlers;
    this.#clock = paceBy;
    this.#rate = paceBy && new TokenBucket(HEARD, paceBy);
    stream.on('data', (chunk: Buffer) => this.#take(chunk));
    stream.on('error', () => this.#end(undefined)).once('close', () => this.#end(undefined));
  }

  /** How much the other end has not taken yet: who tells only what may be left out stops at some point. */
  get waitingBytes(): number {
    return this.#stream.writableLength;
  }

  /** The secrets stay the caller's, who may dispose of them at once: what waits is a copy. Lost without a word when the other end is gone: `onEnd` tells that. */
  send(message: object, secrets: readonly SecretBuffer[] = []): void {
    if (this.#hasEnded) return;
    if (this.waitingBytes > MAX_WAITING_BYTES) {
      this.#stream.destroy();
      const found = `${this.waitingBytes} bytes wait`;
      this.#end(new SystemError('SYSTEM_CHANNEL', 'a program of ours does not read what it is told', { found }));
      return;
    }
    const json = Buffer.from(JSON.stringify(message));
    const length = secrets.reduce((sum, secret) => sum + LENGTH_BYTES + secret.length, LENGTH_BYTES + json.length);
    this.#stream.write(Buffer.concat([u32(length), u32(json.length), json]));
    for (const secret of secrets) {
      this.#stream.write(u32(secret.length));
      const copy = secret.use(unpooledCopy);
      this.#stream.write(copy, () => copy.fill(0));
    }
  }

  close(): void {
    this.#stream.destroy();
    this.#end(undefined);
  }

  /** What it copies it zeroes: secrets may be in it. */
  #take(chunk: Buffer): void {
    const bytes = Buffer.allocUnsafeSlow(this.#pending.length + chunk.length);
    this.#pending.copy(bytes);
    chunk.copy(bytes, this.#pending.length);
    this.#pending.fill(0);
    chunk.fill(0);
    this.#pending = bytes;
    if (!this.#rests) this.#takeFrames();
  }

  #takeFrames(): void {
    try {
      while (this.#hasFrame()) {
        if (!this.#mayTake()) {
          this.#rest();
          return;
        }
        this.#takeFrame();
      }
    } catch (error) {
      this.#stream.destroy();
      this.#end(error instanceof SystemError ? error : malformed('no JSON'));
    }
  }

  #mayTake(): boolean {
    return this.#rate?.take(Math.ceil(this.#pending.readUInt32BE() / WEIGHED_BYTES)) ?? true;
  }

  #rest(): void {
    this.#rests = true;
    this.#stream.pause();
    this.#clock?.sleep(HEARD.restMs, this.#ended.signal).then(
      () => {
        this.#rests = false;
        this.#stream.resume();
        this.#takeFrames();
      },
      () => undefined,
    );
  }

  #hasFrame(): boolean {
    if (this.#hasEnded || this.#pending.length < LENGTH_BYTES) return false;
    const length = this.#pending.readUInt32BE();
    if (length > (this.#rate ? HEARD.maxFrameBytes : MAX_FRAME_BYTES)) throw malformed(`${length} bytes`);
    return this.#pending.length >= LENGTH_BYTES + length;
  }

  #takeFrame(): void {
    const end = LENGTH_BYTES + this.#pending.readUInt32BE();
    const frame = this.#pending.subarray(LENGTH_BYTES, end);
    this.#pending = this.#pending.subarray(end);
    const [json = Buffer.alloc(0), ...others] = parts(frame);
    const message: unknown = JSON.parse(json.toString('utf8'));
    this.#handlers.onMessage(
      message,
      others.map((part) => SecretBuffer.take(part)),
    );
  }

  get #hasEnded(): boolean {
    return this.#ended.signal.aborted;
  }

  #end(fault: SystemError | undefined): void {
    if (this.#hasEnded) return;
    this.#ended.abort();
    this.#pending.fill(0);
    this.#handlers.onEnd(fault);
  }
}

/** @throws SystemError SYSTEM_CHANNEL */
function parts(frame: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < frame.length; ) {
    const start = at + LENGTH_BYTES;
    const end = start <= frame.length ? start + frame.readUInt32BE(at) : Number.POSITIVE_INFINITY;
    if (end > frame.length) throw malformed('a part that is longer than its frame');
    found.push(frame.subarray(start, end));
    at = end;
  }
  return found;
}
