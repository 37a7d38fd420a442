/**
 * CBOR as AWS writes it, by `cbor-x`: definite lengths, shortest integers, keys in the order given. What was written is held
 * against the reader's own rules, so that nothing leaves which the reader would refuse.
 */
import type { Options } from 'cbor-x/encode';
import { Encoder } from 'cbor-x/encode';
import { checkCbor } from './check.ts';

/** What the encoder writes as an integer; numbers beyond become floats unless they are BigInt. */
const MIN_NUMBER = -0x8000_0000;
const MAX_NUMBER = 0xffff_ffff;

/** `useTag259ForMaps` is missing in the library's types; without it maps with integer keys get a tag. */
const options: Options & { readonly useTag259ForMaps: boolean } = {
  useRecords: false,
  variableMapSize: true,
  tagUint8Array: false,
  useTag259ForMaps: false,
};
const encoder = new Encoder(options);

export type CborWritable =
  | number
  | string
  | boolean
  | null
  | Buffer
  | readonly CborWritable[]
  | ReadonlyMap<number | string, CborWritable>
  | { readonly [key: string]: CborWritable };

/** @throws FormatError for numbers that are no safe integers, text that is not Unicode, and nesting beyond what is read */
export function writeCbor(value: CborWritable): Buffer {
  const bytes = Buffer.from(encoder.encode(toEncodable(value)));
  checkCbor(bytes);
  return bytes;
}

function toEncodable(value: CborWritable): unknown {
  if (typeof value === 'number') return Number.isInteger(value) && isWide(value) ? BigInt(value) : value;
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value;
  if (isArray(value)) return value.map(toEncodable);
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  return new Map(entries.map(([key, member]) => [toEncodable(key), toEncodable(member)]));
}

function isWide(value: number): boolean {
  return value < MIN_NUMBER || value > MAX_NUMBER;
}

/** Array.isArray does not narrow readonly arrays. */
function isArray(value: object): value is readonly CborWritable[] {
  return Array.isArray(value);
}
