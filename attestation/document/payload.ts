/**
 * The payload of an attestation document: what the hypervisor states about the enclave.
 * Specification: nitro-formats 3.6 (syntax checks); AWS's nsm-api, docs/attestation_process.md section 3.2.2.
 */
import type { CborMap, CborValue } from '../../encoding/cbor/reader.ts';
import { readCbor } from '../../encoding/cbor/reader.ts';
import { expectArray, expectBytes, expectMap, expectText, expectUint } from '../../encoding/cbor/shape.ts';
import { FormatError } from '../../encoding/format-error.ts';
import type { PcrIndex } from '../../wire/brands.ts';
import { toPcrIndex } from '../../wire/brands.ts';
import { PCR_BYTES, PCR_COUNT } from '../pcr.ts';
import { MAX_BOUND_BYTES, MAX_CERTIFICATE_BYTES } from './limits.ts';

export interface AttestationPayload {
  /** `i-…-enc…` on Nitro hardware. */
  readonly moduleId: string;
  readonly digest: 'SHA384';
  /** When the document was made, by the hypervisor's clock; milliseconds since the epoch. */
  readonly timestampMs: number;
  /** The locked registers, 48 bytes each. */
  readonly pcrs: ReadonlyMap<PcrIndex, Buffer>;
  /** DER of the certificate whose key signed the document. */
  readonly certificate: Buffer;
  /** DER of the issuing certificates, root first. */
  readonly cabundle: readonly Buffer[];
  readonly publicKey: Buffer | undefined;
  readonly userData: Buffer | undefined;
  readonly nonce: Buffer | undefined;
}

const REQUIRED_KEYS = ['module_id', 'digest', 'timestamp', 'pcrs', 'certificate', 'cabundle'] as const;
const OPTIONAL_KEYS = ['public_key', 'user_data', 'nonce'] as const;
const KNOWN_KEYS: ReadonlySet<unknown> = new Set([...REQUIRED_KEYS, ...OPTIONAL_KEYS]);

const MAX_MODULE_ID_LENGTH = 256;

/** Of documents that a NitroTPM makes, in place of `pcrs`. */
const NITROTPM_PCRS = 'nitrotpm_pcrs';

function expectKnownKeys(map: CborMap): void {
  for (const key of map.keys()) if (!KNOWN_KEYS.has(key)) throw new FormatError('the payload has an unknown key');
  for (const key of REQUIRED_KEYS) if (!map.has(key)) throw new FormatError(`the payload lacks ${key}`);
}

function readDigest(value: CborValue | undefined): 'SHA384' {
  if (value !== 'SHA384') throw new FormatError('digest must be SHA384');
  return value;
}

function readTimestampMs(value: CborValue | undefined): number {
  const timestampMs = expectUint('timestamp', value, Number.MAX_SAFE_INTEGER);
  if (timestampMs === 0) throw new FormatError('timestamp must be above 0');
  return timestampMs;
}

function readPcrs(value: CborValue | undefined): ReadonlyMap<PcrIndex, Buffer> {
  const map = expectMap('pcrs', value);
  if (map.size === 0) throw new FormatError('pcrs must not be empty');
  const pcrs = new Map<PcrIndex, Buffer>();
  for (const [key, item] of map) {
    const index = expectUint('PCR index', key, PCR_COUNT - 1);
    pcrs.set(toPcrIndex(index), expectBytes(`PCR${index}`, item, PCR_BYTES, PCR_BYTES));
  }
  return pcrs;
}

function readCertificate(what: string, value: CborValue | undefined): Buffer {
  return expectBytes(what, value, 1, MAX_CERTIFICATE_BYTES);
}

function readCabundle(value: CborValue | undefined): readonly Buffer[] {
  const items = expectArray('cabundle', value);
  if (items.length === 0) throw new FormatError('cabundle must not be empty');
  return items.map((item, i) => readCertificate(`cabundle[${i}]`, item));
}

/** Absent fields arrive as null from AWS; the specification of AWS would have them left out. */
function readOptional(map: CborMap, key: (typeof OPTIONAL_KEYS)[number], min: number): Buffer | undefined {
  const value = map.get(key);
  return value === undefined || value === null ? undefined : expectBytes(key, value, min, MAX_BOUND_BYTES);
}

/** @throws FormatError when it is no map, or not in the one form of CBOR that is allowed */
export function readPayloadMap(bytes: Buffer): CborMap {
  return expectMap('the payload', readCbor(bytes));
}

/**
 * Documents of whole instances (attestable AMIs) look alike and come from the same root, but their registers mean something else:
 * PCR4 is the boot manager there and not the instance, PCR8 is free and not the signer.
 */
export function isNitroTpmPayload(map: CborMap): boolean {
  return map.has(NITROTPM_PCRS);
}

/**
 * Buffers in the result are views of the input.
 * @throws FormatError
 */
export function readPayloadFields(map: CborMap): AttestationPayload {
  expectKnownKeys(map);
  return {
    moduleId: expectText('module_id', map.get('module_id'), MAX_MODULE_ID_LENGTH),
    digest: readDigest(map.get('digest')),
    timestampMs: readTimestampMs(map.get('timestamp')),
    pcrs: readPcrs(map.get('pcrs')),
    certificate: readCertificate('certificate', map.get('certificate')),
    cabundle: readCabundle(map.get('cabundle')),
    publicKey: readOptional(map, 'public_key', 1),
    userData: readOptional(map, 'user_data', 0),
    nonce: readOptional(map, 'nonce', 0),
  };
}
