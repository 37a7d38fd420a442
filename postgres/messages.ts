/**
 * Decodes and encodes bodies of PostgreSQL messages (PostgreSQL manual, "Message Formats"). Texts are latin1 strings, so
 * that their bytes stay as they are.
 */
import { SessionError } from './session-error.ts';

export const OIDS = { bytea: 17, int8: 20, int4: 23, text: 25 } as const;
export const HEADER_BYTES = 5;

interface Values {
  text: string;
  oids: number[];
  formats: number[];
  values: (Buffer | null)[];
}
type Shape = readonly (keyof Values)[];
type Fields<Each extends Shape> = { -readonly [Index in keyof Each]: Values[Each[Index]] };

interface Codec<Each extends Shape> {
  /** What follows these fields is not looked at. @throws SessionError 08P01 */
  decode(body: Buffer): Fields<Each>;
  /** The whole message. */
  encode(...fields: Fields<Each>): Buffer;
}

/** Reads front to back; every read is checked against the end. */
export class BodyReader {
  readonly body: Buffer;
  at = 0;

  constructor(body: Buffer) {
    this.body = body;
  }

  bytes(length: number): Buffer {
    if (length < 0 || length > this.body.length - this.at) throw new SessionError('08P01', 'malformed message');
    this.at += length;
    return this.body.subarray(this.at - length, this.at);
  }

  text(): string {
    const end = this.body.indexOf(0, this.at);
    return this.bytes(end < 0 ? -1 : end - this.at + 1)
      .toString('latin1')
      .slice(0, -1);
  }

  int32(): number {
    return this.bytes(4).readInt32BE();
  }

  value(): Buffer | null {
    const length = this.int32();
    return length === -1 ? null : this.bytes(length);
  }

  list<Item>(read: () => Item): Item[] {
    return Array.from({ length: this.bytes(2).readUInt16BE() }, read);
  }

  field(kind: keyof Values): Values[keyof Values] {
    if (kind === 'text') return this.text();
    if (kind === 'values') return this.list(() => this.value());
    return this.list(() => (kind === 'oids' ? this.int32() : this.bytes(2).readInt16BE()));
  }
}

/** A new message, written front to back. */
class FrameWriter {
  readonly #frame: Buffer;
  #at = 0;

  constructor(bytes: number) {
    this.#frame = Buffer.allocUnsafe(bytes);
  }

  /** Nothing of it is what the memory held before. */
  whole(): Buffer {
    if (this.#at !== this.#frame.length) throw new SessionError('XX000', 'a message is not as long as its parts');
    return this.#frame;
  }

  byte(value: number): void {
    this.#frame[this.#at++] = value;
  }

  int16(value: number): void {
    this.byte((value >>> 8) & 0xff);
    this.byte(value & 0xff);
  }

  int32(value: number): void {
    this.int16(value >>> 16);
    this.int16(value);
  }

  bytes(value: Buffer): void {
    value.copy(this.#frame, this.#at);
    this.#at += value.length;
  }

  latin1(value: string): void {
    this.#at += this.#frame.write(value, this.#at, 'latin1');
  }
}

function begin(type: string, bodyBytes: number): FrameWriter {
  const writer = new FrameWriter(HEADER_BYTES + bodyBytes);
  writer.latin1(type);
  writer.int32(bodyBytes + 4);
  return writer;
}

function lengthOf(kind: keyof Values, field: Values[keyof Values]): number {
  if (typeof field === 'string') return field.length + 1;
  if (kind !== 'values') return 2 + (kind === 'oids' ? 4 : 2) * field.length;
  let bytes = 2;
  for (const item of field as Values['values']) bytes += 4 + (item?.length ?? 0);
  return bytes;
}

function writeField(writer: FrameWriter, kind: keyof Values, field: Values[keyof Values]): void {
  if (typeof field === 'string') {
    writer.latin1(field);
    writer.byte(0);
    return;
  }
  writer.int16(field.length);
  for (const item of field) {
    if (typeof item === 'number') {
      if (kind === 'oids') writer.int32(item);
      else writer.int16(item);
      continue;
    }
    writer.int32(item?.length ?? -1);
    if (item) writer.bytes(item);
  }
}

/** A whole message: type, length, body. */
export function encodeMessage(type: string, ...body: readonly Buffer[]): Buffer {
  const writer = begin(
    type,
    body.reduce((sum, part) => sum + part.length, 0),
  );
  for (const part of body) writer.bytes(part);
  return writer.whole();
}

function codec<const Each extends Shape>(type: string, ...shape: Each): Codec<Each> {
  return {
    decode(body) {
      const reader = new BodyReader(body);
      return shape.map((kind) => reader.field(kind)) as Fields<Each>;
    },
    encode(...fields) {
      const each = fields as readonly Values[keyof Values][];
      const bytes = shape.reduce((sum, kind, index) => sum + lengthOf(kind, each[index] ?? []), 0);
      const writer = begin(type, bytes);
      for (const [index, kind] of shape.entries()) writeField(writer, kind, each[index] ?? []);
      return writer.whole();
    },
  };
}

export const QUERY = codec('Q', 'text');
export const PARSE = codec('P', 'text', 'text', 'oids');
/** Portal, statement, parameter formats (0 text, 1 binary; none: all text, one: for all), parameters, result formats. */
export const BIND = codec('B', 'text', 'text', 'formats', 'values', 'formats');
export const PARAMETER_STATUS = codec('S', 'text', 'text');
const PARAMETER_DESCRIPTION = codec('t', 'oids');
export const DATA_ROW = codec('D', 'values');

export interface ResultField {
  readonly name: string;
  /** Of the relation and the column in it that a plain reference means; 0 for anything else. */
  readonly tableOid: number;
  readonly columnNumber: number;
  readonly typeOid: number;
  /** Where the OID stands in the whole message. */
  readonly oidOffset: number;
  readonly isBinary: boolean;
}

/** The columns of a RowDescription. */
export function decodeResultFields(body: Buffer): ResultField[] {
  const reader = new BodyReader(body);
  return reader.list(() => {
    const name = reader.text();
    const oidOffset = HEADER_BYTES + reader.at + 6;
    const facts = reader.bytes(18);
    return {
      name,
      tableOid: facts.readUInt32BE(0),
      columnNumber: facts.readInt16BE(4),
      typeOid: facts.readInt32BE(6),
      oidOffset,
      isBinary: facts.readInt16BE(16) === 1,
    };
  });
}

export interface TypeChange {
  /** Where the OID stands in the whole message. */
  readonly offset: number;
  readonly typeOid: number;
  /** The type's size follows, as in a RowDescription. */
  readonly hasSize?: true;
}

const TYPE_SIZES: Readonly<Record<number, number>> = { [OIDS.int4]: 4, [OIDS.int8]: 8 };
const VARIABLE_SIZE = -1;

/** A copy of the message with other types. */
export function withTypes(frame: Buffer, changes: readonly TypeChange[]): Buffer {
  if (changes.length === 0) return frame;
  const changed = Buffer.from(frame);
  for (const { offset, typeOid, hasSize } of changes) {
    changed.writeInt32BE(typeOid, offset);
    if (hasSize) changed.writeInt16BE(TYPE_SIZES[typeOid] ?? VARIABLE_SIZE, offset + 4);
  }
  return changed;
}

/** A copy of a ParameterDescription without its last types. */
export function withoutLastTypes(frame: Buffer, count: number): Buffer {
  if (count === 0) return frame;
  const [oids] = PARAMETER_DESCRIPTION.decode(frame.subarray(HEADER_BYTES));
  return PARAMETER_DESCRIPTION.encode(oids.slice(0, Math.max(0, oids.length - count)));
}

/** What a list of format codes says about one column or parameter. */
export function isBinaryAt(formats: readonly number[], index: number): boolean {
  return (formats.length === 1 ? formats[0] : formats[index]) === 1;
}
