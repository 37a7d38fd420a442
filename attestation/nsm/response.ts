/**
 * Answers of the security module. Written by the emulated module, read strictly by the provider.
 * Specification: nitro-formats 3.5.
 */

import type { CborValue } from '../../encoding/cbor/reader.ts';
import { readCbor } from '../../encoding/cbor/reader.ts';
import {
  expectArray,
  expectBoolean,
  expectBytes,
  expectMap,
  expectRecord,
  expectText,
  expectUint,
} from '../../encoding/cbor/shape.ts';
import type { CborWritable } from '../../encoding/cbor/writer.ts';
import { writeCbor } from '../../encoding/cbor/writer.ts';
import { FormatError, wrapFormatError } from '../../encoding/format-error.ts';
import type { PcrIndex } from '../../wire/brands.ts';
import { toPcrIndex } from '../../wire/brands.ts';
import { MAX_DOCUMENT_BYTES } from '../document/limits.ts';
import { NsmError } from '../errors.ts';
import { PCR_BYTES, PCR_COUNT } from '../pcr.ts';
import { MAX_NSM_RANDOM_BYTES, MAX_NSM_RESPONSE_BYTES } from './limits.ts';
import type { NsmDescription, PcrState } from './provider.ts';

const DEVICE_ERRORS = [
  'InvalidArgument',
  'InvalidIndex',
  'InvalidResponse',
  'ReadOnlyIndex',
  'InvalidOperation',
  'BufferTooSmall',
  'InputTooLarge',
  'InternalError',
] as const;
/** The names that the module gives its refusals. */
export type NsmDeviceError = (typeof DEVICE_ERRORS)[number];

export type NsmResponse =
  | { readonly kind: 'DescribeNSM'; readonly description: NsmDescription }
  | { readonly kind: 'DescribePCR'; readonly pcr: PcrState }
  | { readonly kind: 'ExtendPCR'; readonly value: Buffer }
  | { readonly kind: 'LockPCR' }
  | { readonly kind: 'LockPCRs' }
  | { readonly kind: 'Attestation'; readonly document: Buffer }
  | { readonly kind: 'GetRandom'; readonly random: Buffer }
  | { readonly kind: 'Error'; readonly error: NsmDeviceError };

const MAX_U16 = 0xffff;
const MAX_MODULE_ID_LENGTH = 256;
const MAX_DIGEST_LENGTH = 16;

const DESCRIPTION_KEYS = [
  'version_major',
  'version_minor',
  'version_patch',
  'module_id',
  'max_pcrs',
  'locked_pcrs',
  'digest',
] as const;

function toWritable(response: NsmResponse): CborWritable {
  switch (response.kind) {
    case 'LockPCR':
    case 'LockPCRs':
      return response.kind;
    case 'DescribeNSM':
      return { DescribeNSM: describeToWritable(response.description) };
    case 'DescribePCR':
      return { DescribePCR: { lock: response.pcr.locked, data: response.pcr.value } };
    case 'ExtendPCR':
      return { ExtendPCR: { data: response.value } };
    case 'Attestation':
      return { Attestation: { document: response.document } };
    case 'GetRandom':
      return { GetRandom: { random: response.random } };
    case 'Error':
      return { Error: response.error };
  }
}

function describeToWritable(description: NsmDescription): CborWritable {
  return {
    version_major: description.versionMajor,
    version_minor: description.versionMinor,
    version_patch: description.versionPatch,
    module_id: description.moduleId,
    max_pcrs: description.maxPcrs,
    locked_pcrs: description.lockedPcrs,
    digest: description.digest,
  };
}

/** As the module would answer. */
export function encodeNsmResponse(response: NsmResponse): Buffer {
  return writeCbor(toWritable(response));
}

function readLockedPcrs(value: CborValue | undefined): PcrIndex[] {
  const indexes = expectArray('locked_pcrs', value).map((item) => expectUint('locked PCR', item, PCR_COUNT - 1));
  if (new Set(indexes).size !== indexes.length) throw new FormatError('locked_pcrs names a PCR twice');
  return indexes.map(toPcrIndex);
}

function readDescription(value: CborValue): NsmDescription {
  const map = expectRecord('DescribeNSM', value, DESCRIPTION_KEYS);
  return {
    versionMajor: expectUint('version_major', map.get('version_major'), MAX_U16),
    versionMinor: expectUint('version_minor', map.get('version_minor'), MAX_U16),
    versionPatch: expectUint('version_patch', map.get('version_patch'), MAX_U16),
    moduleId: expectText('module_id', map.get('module_id'), MAX_MODULE_ID_LENGTH),
    maxPcrs: expectUint('max_pcrs', map.get('max_pcrs'), MAX_U16),
    lockedPcrs: readLockedPcrs(map.get('locked_pcrs')),
    digest: expectText('digest', map.get('digest'), MAX_DIGEST_LENGTH),
  };
}

function readPcrState(value: CborValue): PcrState {
  const map = expectRecord('DescribePCR', value, ['lock', 'data']);
  return {
    locked: expectBoolean('lock', map.get('lock')),
    value: copyBytes('data', map.get('data'), PCR_BYTES, PCR_BYTES),
  };
}

function readDeviceError(value: CborValue): NsmDeviceError {
  const error = DEVICE_ERRORS.find((name) => name === value);
  if (error === undefined) throw new FormatError('the module names an unknown error');
  return error;
}

function copyBytes(what: string, value: CborValue | undefined, min: number, max: number): Buffer {
  const view = expectBytes(what, value, min, max);
  const copy = Buffer.allocUnsafeSlow(view.length);
  view.copy(copy);
  return copy;
}

function readOnly(kind: string, value: CborValue, key: string, min: number, max: number): Buffer {
  return copyBytes(key, expectRecord(kind, value, [key]).get(key), min, max);
}

function readEntry(kind: string, value: CborValue): NsmResponse {
  switch (kind) {
    case 'DescribeNSM':
      return { kind, description: readDescription(value) };
    case 'DescribePCR':
      return { kind, pcr: readPcrState(value) };
    case 'ExtendPCR':
      return { kind, value: readOnly(kind, value, 'data', PCR_BYTES, PCR_BYTES) };
    case 'Attestation':
      return { kind, document: readOnly(kind, value, 'document', 1, MAX_DOCUMENT_BYTES) };
    case 'GetRandom':
      return { kind, random: readOnly(kind, value, 'random', 1, MAX_NSM_RANDOM_BYTES) };
    case 'Error':
      return { kind, error: readDeviceError(value) };
    default:
      throw new FormatError('the answer is unknown');
  }
}

function readResponse(bytes: Buffer): NsmResponse {
  if (bytes.length > MAX_NSM_RESPONSE_BYTES)
    throw new FormatError(`the answer is over ${MAX_NSM_RESPONSE_BYTES} bytes`);
  const value = readCbor(bytes);
  if (value === 'LockPCR' || value === 'LockPCRs') return { kind: value };
  const entries = [...expectMap('the answer', value)];
  const [entry] = entries;
  if (entry === undefined || entries.length > 1) throw new FormatError('the answer must be a map with one entry');
  return readEntry(String(entry[0]), entry[1]);
}

/**
 * Strict. Buffers in the result are copies outside the pool, so that the answer itself can be zeroed.
 * @throws NsmError NSM_RESPONSE_INVALID
 */
export function parseNsmResponse(bytes: Buffer): NsmResponse {
  return wrapFormatError(
    () => readResponse(bytes),
    (cause) => new NsmError('NSM_RESPONSE_INVALID', 'not an NSM answer', { cause }),
  );
}
