/**
 * Which protocols a ClientHello names (ALPN), before anybody has answered it: so that a connection can go to a TLS server of its own
 * without the cost of a handshake. Nothing here decides more than that; OpenSSL reads the same bytes anew. So whatever is not
 * understood, or is longer than it is worth, is unreadable, which is no error: it goes the ordinary way.
 *
 *   record:    u8 22 | u16 version | u16 length | a part of a message …          a message may take several records
 *   message:   u8 1 | u24 length | ClientHello
 *
 * Specification: RFC 8446 sections 4 (messages), 4.1.2 (ClientHello), 4.2 (extensions), 5.1 (records), RFC 5246 7.4.1.2; RFC 7301 (ALPN).
 */

/** Records and all. With post-quantum key shares it has some 1,800 bytes, with a ticket some hundred more. */
export const MAX_HELLO_BYTES = 8 * 1024;

const HANDSHAKE_RECORD = 22;
const RECORD_HEADER_BYTES = 5;
const MAX_RECORD_BYTES = 2 ** 14;
const CLIENT_HELLO = 1;
const MESSAGE_HEADER_BYTES = 4;
const VERSION_AND_RANDOM_BYTES = 2 + 32;
const MAX_SESSION_ID_BYTES = 32;
const ALPN_EXTENSION = 16;

export type HelloVerdict =
  | { readonly kind: 'more' }
  | { readonly kind: 'unreadable' }
  /** `protocols`: empty where none is named. `helloBytes`: of the stream, records and all. */
  | { readonly kind: 'hello'; readonly protocols: readonly string[]; readonly helloBytes: number };

type Hello = Extract<HelloVerdict, { readonly kind: 'hello' }>;

const MORE: HelloVerdict = { kind: 'more' };
const UNREADABLE: HelloVerdict = { kind: 'unreadable' };

/** Whether that protocol is the only one that it names: one that names others as well leaves the choice to the server. */
export function namesOnly(verdict: HelloVerdict, protocol: string): verdict is Hello {
  return verdict.kind === 'hello' && verdict.protocols.length === 1 && verdict.protocols[0] === protocol;
}

/** Reads vectors (RFC 8446 section 3.4). Nothing is read behind the end: then it says so for ever. */
class Vectors {
  readonly #bytes: Buffer;
  #at = 0;
  isFaulty = false;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  take(bytes: number): Buffer {
    const end = this.#at + bytes;
    if (end > this.#bytes.length) this.isFaulty = true;
    const taken = this.isFaulty ? Buffer.alloc(0) : this.#bytes.subarray(this.#at, end);
    this.#at += taken.length;
    return taken;
  }

  number(bytes: 1 | 2): number {
    const taken = this.take(bytes);
    return this.isFaulty ? 0 : taken.readUIntBE(0, bytes);
  }

  vector(lengthBytes: 1 | 2): Buffer {
    return this.take(this.number(lengthBytes));
  }
}

/** @returns undefined for what is no list of protocols */
function protocolsIn(extension: Buffer): readonly string[] | undefined {
  const outer = new Vectors(extension);
  const list = new Vectors(outer.vector(2));
  if (outer.isFaulty || !outer.isAtEnd || list.isAtEnd) return undefined;
  const protocols: string[] = [];
  while (!list.isAtEnd) {
    const name = list.vector(1);
    if (list.isFaulty || name.length === 0) return undefined;
    protocols.push(name.toString('latin1'));
  }
  return protocols;
}

/** @returns undefined for what are no extensions, or has one twice */
function protocolsOf(extensions: Buffer): readonly string[] | undefined {
  const list = new Vectors(extensions);
  const seen = new Set<number>();
  let protocols: readonly string[] | undefined = [];
  while (!list.isAtEnd) {
    const type = list.number(2);
    const content = list.vector(2);
    if (list.isFaulty || seen.has(type)) return undefined;
    seen.add(type);
    if (type === ALPN_EXTENSION) protocols = protocolsIn(content);
    if (protocols === undefined) return undefined;
  }
  return protocols;
}

/** @returns undefined for what is no ClientHello */
function protocolsOfHello(body: Buffer): readonly string[] | undefined {
  const hello = new Vectors(body);
  const [major] = hello.take(VERSION_AND_RANDOM_BYTES);
  const sessionId = hello.vector(1);
  const ciphers = hello.vector(2);
  const compressions = hello.vector(1);
  if (hello.isFaulty || major !== 3 || sessionId.length > MAX_SESSION_ID_BYTES) return undefined;
  if (ciphers.length === 0 || ciphers.length % 2 !== 0 || compressions.length === 0) return undefined;
  if (hello.isAtEnd) return [];
  const extensions = hello.vector(2);
  return hello.isFaulty || !hello.isAtEnd ? undefined : protocolsOf(extensions);
}

interface Message {
  readonly body: Buffer;
  readonly streamBytes: number;
}

/** A record's length, at the beginning of `header`. @returns undefined where more is needed */
function recordLength(header: Buffer): number | 'unreadable' | undefined {
  const [type = HANDSHAKE_RECORD, major = 3] = header;
  if (type !== HANDSHAKE_RECORD || major !== 3) return 'unreadable';
  if (header.length < RECORD_HEADER_BYTES) return undefined;
  const length = header.readUInt16BE(3);
  return length === 0 || length > MAX_RECORD_BYTES ? 'unreadable' : length;
}

/** All of a message's bytes, from its first ones. @returns undefined where more is needed */
function messageLength(start: Buffer): number | 'unreadable' | undefined {
  const [type = CLIENT_HELLO] = start;
  if (type !== CLIENT_HELLO) return 'unreadable';
  return start.length < MESSAGE_HEADER_BYTES ? undefined : MESSAGE_HEADER_BYTES + start.readUIntBE(1, 3);
}

/** The first message of the handshake, put together from its records. */
function firstMessage(bytes: Buffer): Message | 'more' | 'unreadable' {
  let message: Buffer = Buffer.alloc(0);
  for (let at = 0; ; ) {
    const length = recordLength(bytes.subarray(at, at + RECORD_HEADER_BYTES));
    if (length === undefined) return 'more';
    if (length === 'unreadable') return 'unreadable';
    const part = bytes.subarray(at + RECORD_HEADER_BYTES, at + RECORD_HEADER_BYTES + length);
    at += RECORD_HEADER_BYTES + length;
    message = message.length === 0 ? part : Buffer.concat([message, part]);
    const needed = messageLength(message);
    if (needed === 'unreadable' || at > MAX_HELLO_BYTES || (needed ?? 0) > MAX_HELLO_BYTES) return 'unreadable';
    // Nothing else may share its last record (RFC 8446 section 5.1: keys change behind it).
    if (needed !== undefined && message.length > needed) return 'unreadable';
    if (part.length < length) return 'more';
    if (message.length === needed) return { body: message.subarray(MESSAGE_HEADER_BYTES), streamBytes: at };
  }
}

/** @param bytes of the stream from its beginning; what stands behind the ClientHello is not looked at */
export function readClientHello(bytes: Buffer): HelloVerdict {
  const message = firstMessage(bytes);
  if (message === 'more') return MORE;
  const protocols = message === 'unreadable' ? undefined : protocolsOfHello(message.body);
  if (message === 'unreadable' || protocols === undefined) return UNREADABLE;
  return { kind: 'hello', protocols, helloBytes: message.streamBytes };
}
