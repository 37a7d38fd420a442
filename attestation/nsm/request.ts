/**
 * Requests to the security module, byte for byte as AWS's own library writes them: a bare text for a request without
 * arguments, a map with one entry for all others. The reader serves the emulated module.
 * Specification: nitro-formats 3.5.
 */

import type { CborMap, CborValue } from '../../encoding/cbor/reader.ts';
import { readCbor } from '../../encoding/cbor/reader.ts';
import { expectBytes, expectMap, expectRecord, expectUint } from '../../encoding/cbor/shape.ts';
import type { CborWritable } from '../../encoding/cbor/writer.ts';
import { writeCbor } from '../../encoding/cbor/writer.ts';
import { FormatError, wrapFormatError } from '../../encoding/format-error.ts';
import type { PcrIndex } from '../../wire/brands.ts';
import { toPcrIndex } from '../../wire/brands.ts';
import { NsmError } from '../errors.ts';
import { PCR_COUNT } from '../pcr.ts';
import { MAX_ATTESTATION_FIELD_BYTES, MAX_NSM_REQUEST_BYTES } from './limits.ts';
import type { AttestationRequest } from './provider.ts';

export type NsmRequest =
  | { readonly kind: 'DescribeNSM' }
  | { readonly kind: 'GetRandom' }
  | { readonly kind: 'DescribePCR'; readonly index: PcrIndex }
  | { readonly kind: 'ExtendPCR'; readonly index: PcrIndex; readonly data: Buffer }
  | { readonly kind: 'LockPCR'; readonly index: PcrIndex }
  /** Locks [0, range). */
  | { readonly kind: 'LockPCRs'; readonly range: number }
  | { readonly kind: 'Attestation'; readonly request: AttestationRequest };

const MAX_U16 = 0xffff;

function toWritable(request: NsmRequest): CborWritable {
  switch (request.kind) {
    case 'DescribeNSM':
    case 'GetRandom':
      return request.kind;
    case 'DescribePCR':
    case 'LockPCR':
      return { [request.kind]: { index: request.index } };
    case 'ExtendPCR':
      return { ExtendPCR: { index: request.index, data: request.data } };
    case 'LockPCRs':
      return { LockPCRs: { range: request.range } };
    case 'Attestation': {
      const { userData, nonce, publicKey } = request.request;
      return { Attestation: { user_data: userData ?? null, nonce: nonce ?? null, public_key: publicKey ?? null } };
    }
  }
}

/**
 * Reads back what it wrote, so that nothing out of range reaches the device.
 * @throws NsmError NSM_REQUEST_INVALID, NSM_REQUEST_TOO_LARGE, NSM_INVALID_INDEX
 */
export function encodeNsmRequest(request: NsmRequest): Buffer {
  const bytes = wrapFormatError(() => writeCbor(toWritable(request)), notARequest);
  parseNsmRequest(bytes);
  return bytes;
}

function readIndex(map: CborMap): PcrIndex {
  const index = expectUint('index', map.get('index'), MAX_U16);
  if (index < PCR_COUNT) return toPcrIndex(index);
  throw invalidIndex('PCR index', index, PCR_COUNT - 1);
}

function readRange(map: CborMap): number {
  const range = expectUint('range', map.get('range'), MAX_U16);
  if (range <= PCR_COUNT) return range;
  throw invalidIndex('PCR range', range, PCR_COUNT);
}

function invalidIndex(what: string, found: number, max: number): NsmError {
  return new NsmError('NSM_INVALID_INDEX', `${what} is out of range`, { found: String(found), allowed: `0 to ${max}` });
}

function readField(map: CborMap, key: string, min: number): Buffer | undefined {
  const value = map.get(key);
  return value === null ? undefined : Buffer.from(expectBytes(key, value, min, MAX_ATTESTATION_FIELD_BYTES));
}

function readAttestation(map: CborMap): AttestationRequest {
  const userData = readField(map, 'user_data', 0);
  const nonce = readField(map, 'nonce', 0);
  const publicKey = readField(map, 'public_key', 1);
  return { ...(userData && { userData }), ...(nonce && { nonce }), ...(publicKey && { publicKey }) };
}

function readArguments(kind: string, value: CborValue): NsmRequest {
  switch (kind) {
    case 'DescribePCR':
    case 'LockPCR':
      return { kind, index: readIndex(expectRecord(kind, value, ['index'])) };
    case 'ExtendPCR': {
      const map = expectRecord(kind, value, ['index', 'data']);
      return {
        kind,
        index: readIndex(map),
        data: Buffer.from(expectBytes('data', map.get('data'), 0, MAX_NSM_REQUEST_BYTES)),
      };
    }
    case 'LockPCRs':
      return { kind, range: readRange(expectRecord(kind, value, ['range'])) };
    case 'Attestation':
      return { kind, request: readAttestation(expectRecord(kind, value, ['user_data', 'nonce', 'public_key'])) };
    default:
      throw new FormatError('the request is unknown');
  }
}

function readRequest(bytes: Buffer): NsmRequest {
  const value = readCbor(bytes);
  if (value === 'DescribeNSM' || value === 'GetRandom') return { kind: value };
  const entries = [...expectMap('the request', value)];
  const [entry] = entries;
  if (entry === undefined || entries.length > 1) throw new FormatError('the request must be a map with one entry');
  return readArguments(String(entry[0]), entry[1]);
}

/**
 * Strict: the inverse of encodeNsmRequest for every request, and a refusal for all else.
 * @throws NsmError NSM_REQUEST_INVALID; NSM_REQUEST_TOO_LARGE above 4096 bytes; NSM_INVALID_INDEX for a well-formed
 * request on a PCR that does not exist
 */
export function parseNsmRequest(bytes: Buffer): NsmRequest {
  if (bytes.length > MAX_NSM_REQUEST_BYTES) {
    throw new NsmError('NSM_REQUEST_TOO_LARGE', 'NSM request is too long', {
      found: `${bytes.length} bytes`,
      allowed: `${MAX_NSM_REQUEST_BYTES} bytes`,
    });
  }
  return wrapFormatError(() => readRequest(bytes), notARequest);
}

function notARequest(cause: FormatError): NsmError {
  return new NsmError('NSM_REQUEST_INVALID', 'not an NSM request', { cause });
}
