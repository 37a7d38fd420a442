/**
 * Reads CBOR that comes from outside: check.ts decides whether the bytes are allowed, `cbor-x` builds the value from those
 * that are. Maps stay maps, for a key such as `__proto__` means something on an object.
 */
import type { Options } from 'cbor-x/decode';
import { Decoder } from 'cbor-x/decode';
import { FormatError } from '../format-error.ts';
import { checkCbor } from './check.ts';

type CborKey = number | string;
/** Byte strings are views of the input. Integers lie within JavaScript's safe range. */
export type CborValue = number | string | boolean | null | Buffer | readonly CborValue[] | CborMap;
export type CborMap = ReadonlyMap<CborKey, CborValue>;

/** `int64AsNumber` is missing in the library's types; without it integers of eight bytes become BigInt. */
const options: Options & { readonly int64AsNumber: boolean } = {
  useRecords: false,
  mapsAsObjects: false,
  int64AsNumber: true,
};
const decoder = new Decoder(options);

/**
 * One value that fills `bytes` exactly. The caller bounds the size of the input.
 * @throws FormatError
 */
export function readCbor(bytes: Buffer): CborValue {
  checkCbor(bytes);
  try {
    // A view, because the decoder writes a property onto what it is given.
    return decoder.decode(bytes.subarray());
  } catch (cause) {
    throw new FormatError('CBOR cannot be decoded', undefined, cause);
  }
}
