/** Narrows values of the CBOR reader to the shape that a format demands; anything else is a FormatError that names the field. */

import { FormatError } from '../format-error.ts';
import type { CborMap, CborValue } from './reader.ts';

function describe(value: CborValue | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Buffer.isBuffer(value)) return `${value.length} bytes`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (value instanceof Map) return `a map of ${value.size}`;
  return typeof value;
}

function mismatch(what: string, allowed: string, value: CborValue | undefined): FormatError {
  return new FormatError(`${what} must be ${allowed}, not ${describe(value)}`);
}

export function expectMap(what: string, value: CborValue | undefined): CborMap {
  if (value instanceof Map) return value;
  throw mismatch(what, 'a map', value);
}

/** A map with exactly these text keys, in any order. */
export function expectRecord(what: string, value: CborValue | undefined, keys: readonly string[]): CborMap {
  const map = expectMap(what, value);
  for (const key of keys) if (!map.has(key)) throw new FormatError(`${what} lacks ${key}`);
  if (map.size !== keys.length) throw new FormatError(`${what} has keys other than ${keys.join(', ')}`);
  return map;
}

export function expectArray(what: string, value: CborValue | undefined): readonly CborValue[] {
  if (!Array.isArray(value)) throw mismatch(what, 'an array', value);
  return value;
}

export function expectBytes(what: string, value: CborValue | undefined, min: number, max: number): Buffer {
  if (Buffer.isBuffer(value) && value.length >= min && value.length <= max) return value;
  throw mismatch(what, min === max ? `${min} bytes` : `${min} to ${max} bytes`, value);
}

export function expectText(what: string, value: CborValue | undefined, maxLength: number): string {
  if (typeof value === 'string' && value.length > 0 && value.length <= maxLength) return value;
  throw mismatch(what, `text of 1 to ${maxLength} characters`, value);
}

export function expectUint(what: string, value: CborValue | undefined, max: number): number {
  if (typeof value === 'number' && value >= 0 && value <= max) return value;
  throw mismatch(what, `an integer from 0 to ${max}`, value);
}

export function expectBoolean(what: string, value: CborValue | undefined): boolean {
  if (typeof value === 'boolean') return value;
  throw mismatch(what, 'a boolean', value);
}
