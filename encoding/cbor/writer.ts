/**
 * CBOR as AWS writes it: definite lengths, shortest integers, keys in the order given. What comes from outside is read
 * by cbor-reader.ts instead, for `cbor-x` accepts far more than these formats allow.
 */
import type { Options } from 'cbor-x/encode';
import { Encoder } from 'cbor-x/encode';

const MAX_U32 = 0xffff_ffff;

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
  | bigint
  | string
  | boolean
  | null
  | Buffer
  | readonly CborWritable[]
  | ReadonlyMap<number, CborWritable>
  | { readonly [key: string]: CborWritable };

export function writeCbor(value: CborWritable): Buffer {
  return Buffer.from(encoder.encode(value));
}

/** An integer from 0 to 2^53-1; the encoder would write numbers above 32 bits as floats. */
export function cborUint(value: number): number | bigint {
  return value > MAX_U32 ? BigInt(value) : value;
}
