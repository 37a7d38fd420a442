/**
 * The packet that asks for a session: Int32 length, Int32 protocol version, then pairs of texts up to a zero byte; and
 * NegotiateProtocolVersion, by which a server names the newest minor version that it has, and the options that it does not know.
 *
 * What PostgreSQL takes is taken, but for two things: a packet whose last byte is not zero, which it does not look at, is refused;
 * and of equal names only the last is kept, where it sets one after the other.
 * Source: PostgreSQL 18, "Message Formats", and ProcessStartupPacket and SendNegotiateProtocolVersion in
 * src/backend/tcop/backend_startup.c.
 */
import { BodyReader } from './messages.ts';
import { SessionError } from './session-error.ts';

const LENGTH_BYTES = 4;
const VERSION_BYTES = 4;
const PROTOCOL_3 = 3;
/** PostgreSQL's MAX_STARTUP_PACKET_LENGTH, which does not count the length itself. */
export const MAX_STARTUP_MESSAGE_BYTES: number = LENGTH_BYTES + 10_000;
/** Of a name: PostgreSQL's NAMEDATALEN without the zero byte. */
const MAX_NAME_BYTES = 63;

export interface StartupMessage {
  /** Of the protocol that is asked for: 3.minor. */
  readonly minor: number;
  /** As they came, `user`, `database`, `options` and `_pq_.*` among them. latin1: a character is a byte. */
  readonly parameters: ReadonlyMap<string, string>;
}

function malformed(what: string): SessionError {
  return new SessionError('08P01', `invalid start-up packet: ${what}`);
}

function checkLength(frame: Buffer): void {
  if (frame.length < LENGTH_BYTES + VERSION_BYTES || frame.length > MAX_STARTUP_MESSAGE_BYTES) {
    throw malformed(`${frame.length} bytes, where 8 to ${MAX_STARTUP_MESSAGE_BYTES} are allowed`);
  }
  if (frame.readUInt32BE(0) !== frame.length) throw malformed('its length is not the one that it states');
}

function readMinor(reader: BodyReader): number {
  const [major, minor] = [reader.bytes(2).readUInt16BE(), reader.bytes(2).readUInt16BE()];
  if (major === PROTOCOL_3) return minor;
  throw new SessionError('0A000', `unsupported frontend protocol ${major}.${minor}: only 3.x is spoken`);
}

/** A name that comes again takes the place of the later one: settings are applied in order, whatever their case. */
function readParameters(reader: BodyReader): Map<string, string> {
  const parameters = new Map<string, string>();
  for (let name = reader.text(); name !== ''; name = reader.text()) {
    const value = reader.text();
    parameters.delete(name);
    parameters.set(name, value);
  }
  if (reader.at !== reader.body.length) throw malformed('expected terminator as last byte');
  return parameters;
}

/**
 * @param frame the whole packet with its length
 * @throws SessionError 08P01 malformed or over MAX_STARTUP_MESSAGE_BYTES, 0A000 another protocol than 3.x, 28000 no user
 */
export function decodeStartupMessage(frame: Buffer): StartupMessage {
  checkLength(frame);
  const reader = new BodyReader(frame);
  reader.bytes(LENGTH_BYTES);
  const message = { minor: readMinor(reader), parameters: readParameters(reader) };
  if (userOf(message) === '') throw new SessionError('28000', 'no PostgreSQL user name specified in startup packet');
  return message;
}

/** latin1 keeps the low byte of a character: one above U+00FF could become the zero byte that ends a text. */
function encodeText(text: string): Buffer {
  const bytes = Buffer.from(`${text}\0`, 'latin1');
  if (bytes.indexOf(0) === text.length && bytes.toString('latin1', 0, text.length) === text) return bytes;
  throw malformed('a text has a zero byte, or is not one of bytes');
}

function encodeTexts(texts: readonly string[]): Buffer {
  return Buffer.concat(texts.map(encodeText));
}

function encodeVersion(minor: number): Buffer {
  const version = Buffer.alloc(VERSION_BYTES);
  version.writeUInt16BE(PROTOCOL_3, 0);
  version.writeUInt16BE(minor, 2);
  return version;
}

/**
 * The inverse of decodeStartupMessage; does not ask for a user.
 * @throws SessionError 08P01 an empty name, a text that cannot stand there, more than MAX_STARTUP_MESSAGE_BYTES
 */
export function encodeStartupMessage({ minor, parameters }: StartupMessage): Buffer {
  if (parameters.has('')) throw malformed('a parameter without a name');
  const frame = Buffer.concat([
    Buffer.alloc(LENGTH_BYTES),
    encodeVersion(minor),
    encodeTexts([...parameters].flat()),
    Buffer.alloc(1),
  ]);
  frame.writeUInt32BE(frame.length, 0);
  checkLength(frame);
  return frame;
}

function cut(name: string): string {
  return name.slice(0, MAX_NAME_BYTES);
}

/** As the database will have it: cut to 63 bytes. Empty when there is none. */
export function userOf({ parameters }: StartupMessage): string {
  return cut(parameters.get('user') ?? '');
}

/** As the database will have it: the user's name by default, cut to 63 bytes. */
export function databaseOf(message: StartupMessage): string {
  return cut(message.parameters.get('database') || userOf(message));
}

export interface ProtocolNegotiation {
  /** The newest that the server has, at most the one asked for: 3.minor. */
  readonly minor: number;
  readonly unrecognised: readonly string[];
}

/**
 * Whether the answer fits what was asked is for those who asked.
 * @param body without type and length
 * @throws SessionError 08P01 malformed, 0A000 another protocol than 3.x
 */
export function decodeNegotiateProtocolVersion(body: Buffer): ProtocolNegotiation {
  const reader = new BodyReader(body);
  const minor = readMinor(reader);
  const count = reader.bytes(4).readUInt32BE();
  if (count > body.length) throw malformed('more options than bytes');
  const unrecognised = Array.from({ length: count }, () => reader.text());
  if (reader.at !== body.length) throw malformed('bytes behind the last option');
  return { minor, unrecognised };
}
