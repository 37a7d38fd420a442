/** PostgreSQL messages as a client and a database send them, written and read without the stand-in's own encoder. */

const int16 = (value: number) => Buffer.of((value >> 8) & 255, value & 255);
const int32 = (value: number) => Buffer.of((value >> 24) & 255, (value >> 16) & 255, (value >> 8) & 255, value & 255);
const text = (value: string) => Buffer.from(`${value}\0`);
const listOf = (items: readonly Buffer[]) => Buffer.concat([int16(items.length), ...items]);
const encodedValue = (value: string | Buffer | null) =>
  value === null ? int32(-1) : Buffer.concat([int32(Buffer.byteLength(value)), Buffer.from(value as string)]);

export interface Frame {
  readonly type: string;
  readonly frame: Buffer;
  readonly body: Buffer;
}

function frame(type: string, ...parts: Buffer[]): Frame {
  const body = Buffer.concat(parts);
  return { type, frame: Buffer.concat([Buffer.from(type), int32(body.length + 4), body]), body };
}

export interface BindOptions {
  readonly formats?: readonly number[];
  readonly resultFormats?: readonly number[];
  readonly portal?: string;
}

export const client = {
  startup: (user: string, database: string) => {
    const body = Buffer.concat([
      int32(196608),
      text('user'),
      text(user),
      text('database'),
      text(database),
      Buffer.of(0),
    ]);
    return Buffer.concat([int32(body.length + 4), body]);
  },
  query: (sql: string) => frame('Q', text(sql)),
  parse: (name: string, sql: string, oids: readonly number[] = []) =>
    frame('P', text(name), text(sql), listOf(oids.map(int32))),
  bind: (name: string, values: readonly (string | Buffer | null)[], options: BindOptions = {}) => {
    const { formats = [], resultFormats = [], portal = '' } = options;
    const codes = (all: readonly number[]) => listOf(all.map(int16));
    return frame('B', text(portal), text(name), codes(formats), listOf(values.map(encodedValue)), codes(resultFormats));
  },
  describe: (kind: 'S' | 'P', name: string) => frame('D', Buffer.from(kind), text(name)),
  execute: (portal = '') => frame('E', text(portal), int32(0)),
  close: (kind: 'S' | 'P', name: string) => frame('C', Buffer.from(kind), text(name)),
  sync: frame('S'),
  copyDone: frame('c'),
};

export const database = {
  parseComplete: frame('1'),
  bindComplete: frame('2'),
  closeComplete: frame('3'),
  noData: frame('n'),
  parameterDescription: (oids: readonly number[]) => frame('t', listOf(oids.map(int32))),
  rowDescription: (fields: readonly (readonly [name: string, oid: number, format?: number])[]) =>
    frame(
      'T',
      listOf(
        fields.map(([name, oid, format = 0]) =>
          Buffer.concat([text(name), Buffer.alloc(6), int32(oid), Buffer.alloc(6), int16(format)]),
        ),
      ),
    ),
  row: (values: readonly (string | Buffer | null)[]) => frame('D', listOf(values.map(encodedValue))),
  complete: (tag: string) => frame('C', text(tag)),
  error: (state: string, message: string) =>
    frame('E', text('SERROR'), text(`C${state}`), text(`M${message}`), Buffer.of(0)),
  ready: (status = 'I') => frame('Z', Buffer.from(status)),
  parameterStatus: (name: string, value: string) => frame('S', text(name), text(value)),
  authenticationOk: frame('R', int32(0)),
  copyIn: frame('G', Buffer.from([0, 0, 0])),
};

/** The values of a DataRow, as latin1 text. */
export function rowValues(body: Buffer): (string | null)[] {
  let at = 2;
  return Array.from({ length: body.readUInt16BE() }, () => {
    const length = body.readInt32BE(at);
    at += 4 + Math.max(length, 0);
    return length === -1 ? null : body.toString('latin1', at - length, at);
  });
}

/** Name and type OID of each field of a RowDescription, as `name:oid`. */
export function rowTypes(body: Buffer): string[] {
  let at = 2;
  return Array.from({ length: body.readUInt16BE() }, () => {
    const end = body.indexOf(0, at);
    const shown = `${body.toString('utf8', at, end)}:${body.readInt32BE(end + 7)}`;
    at = end + 19;
    return shown;
  });
}

/** Fields of an ErrorResponse by their letter. */
export function errorFields(body: Buffer): Record<string, string> {
  const fields = body
    .toString()
    .split('\0')
    .filter((field) => field !== '');
  return Object.fromEntries(fields.map((field) => [field.charAt(0), field.slice(1)]));
}
