/**
 * COSE_Sign1, the signed envelope of attestation documents and of image signatures: one algorithm in the protected header,
 * nothing in the unprotected one, the payload inside (never detached). AWS writes it untagged; tag 18 is read as well.
 *
 *   COSE_Sign1    = [ protected: bstr { 1: algorithm }, unprotected: {}, payload: bstr, signature: bstr r ‖ s ]
 *   Sig_structure = [ "Signature1", protected, external_aad: bstr, payload ]      what the signature is over
 *
 * Specification: RFC 9052 sections 4.2 and 4.4; RFC 9053 section 2.1 (its algorithms each with one curve here, as AWS has
 * it: ES256 with P-256, ES384 with P-384, ES512 with P-521); nitro-formats 3.1 and 3.6.
 */
import type { KeyObject } from 'node:crypto';
import { sign, verify } from 'node:crypto';
import type { CborMap } from './cbor/reader.ts';
import { readCbor } from './cbor/reader.ts';
import { expectArray, expectBytes, expectMap } from './cbor/shape.ts';
import { writeCbor } from './cbor/writer.ts';
import { FormatError } from './format-error.ts';

export interface CoseAlgorithm {
  readonly name: 'ES256' | 'ES384' | 'ES512';
  readonly coseId: number;
  /** OpenSSL's name of the curve. */
  readonly curve: 'prime256v1' | 'secp384r1' | 'secp521r1';
  readonly hash: 'sha256' | 'sha384' | 'sha512';
  /** Raw r ‖ s. */
  readonly signatureBytes: number;
}

const ES256 = {
  name: 'ES256',
  coseId: -7,
  curve: 'prime256v1',
  hash: 'sha256',
  signatureBytes: 64,
} as const satisfies CoseAlgorithm;
export const ES384 = {
  name: 'ES384',
  coseId: -35,
  curve: 'secp384r1',
  hash: 'sha384',
  signatureBytes: 96,
} as const satisfies CoseAlgorithm;
const ES512 = {
  name: 'ES512',
  coseId: -36,
  curve: 'secp521r1',
  hash: 'sha512',
  signatureBytes: 132,
} as const satisfies CoseAlgorithm;
export const COSE_ALGORITHMS: readonly CoseAlgorithm[] = [ES256, ES384, ES512];

export interface CoseSign1 {
  readonly algorithm: CoseAlgorithm;
  /** At least one byte. A view of what was parsed. */
  readonly payload: Buffer;
  /** Raw r ‖ s. A view of what was parsed. */
  readonly signature: Buffer;
}

/** The protected header names an algorithm that the caller does not allow. */
export class CoseAlgorithmError extends FormatError {
  readonly coseId: number;

  constructor(coseId: number) {
    super(`the protected header names algorithm ${coseId}`);
    this.coseId = coseId;
  }
}

interface CoseLimits {
  readonly algorithms: readonly CoseAlgorithm[];
  readonly maxPayloadBytes: number;
}

interface CoseMembers {
  readonly protectedHeader: Buffer;
  readonly unprotectedHeader: CborMap;
  readonly payload: Buffer;
  readonly signature: Buffer;
}

/** Initial byte of CBOR tag 18. */
const TAG_COSE_SIGN1 = 0xd2;
/** Label 1 of COSE headers: the algorithm. */
const HEADER_ALGORITHM = 1;
const CONTEXT = 'Signature1';
const MAX_HEADER_BYTES = 16;
const MAX_SIGNATURE_BYTES = 256;
const NO_EXTERNAL_DATA: Buffer = Buffer.alloc(0);
/** COSE signatures are raw r ‖ s. */
const DSA_ENCODING = 'ieee-p1363';

/**
 * The four members as they stand there, whatever headers and signature say.
 * @throws FormatError
 */
export function splitCoseSign1(bytes: Buffer, maxPayloadBytes: number): CoseMembers {
  const untagged = bytes[0] === TAG_COSE_SIGN1 ? bytes.subarray(1) : bytes;
  const members = expectArray('COSE_Sign1', readCbor(untagged));
  if (members.length !== 4) throw new FormatError(`COSE_Sign1 must have 4 members, not ${members.length}`);
  return {
    protectedHeader: expectBytes('protected header', members[0], 1, MAX_HEADER_BYTES),
    unprotectedHeader: expectMap('unprotected header', members[1]),
    payload: expectBytes('payload', members[2], 1, maxPayloadBytes),
    signature: expectBytes('signature', members[3], 1, MAX_SIGNATURE_BYTES),
  };
}

/** @throws FormatError; CoseAlgorithmError for an algorithm that is not among the allowed ones */
export function parseCoseSign1(bytes: Buffer, { algorithms, maxPayloadBytes }: CoseLimits): CoseSign1 {
  const { protectedHeader, unprotectedHeader, payload, signature } = splitCoseSign1(bytes, maxPayloadBytes);
  const algorithm = readAlgorithm(protectedHeader, algorithms);
  if (unprotectedHeader.size > 0) throw new FormatError('unprotected header must be empty');
  const { signatureBytes } = algorithm;
  return { algorithm, payload, signature: expectBytes('signature', signature, signatureBytes, signatureBytes) };
}

function readAlgorithm(protectedHeader: Buffer, algorithms: readonly CoseAlgorithm[]): CoseAlgorithm {
  const header = expectMap('protected header', readCbor(protectedHeader));
  const coseId = header.get(HEADER_ALGORITHM);
  if (header.size !== 1 || typeof coseId !== 'number') {
    throw new FormatError('protected header must name one algorithm and nothing else');
  }
  const algorithm = algorithms.find((candidate) => candidate.coseId === coseId);
  if (algorithm === undefined) throw new CoseAlgorithmError(coseId);
  return algorithm;
}

function encodeProtected({ coseId }: CoseAlgorithm): Buffer {
  return writeCbor(new Map([[HEADER_ALGORITHM, coseId]]));
}

/** Untagged, as AWS writes it. The signature is not checked here. */
export function encodeCoseSign1({ algorithm, payload, signature }: CoseSign1): Buffer {
  return writeCbor([encodeProtected(algorithm), new Map(), payload, signature]);
}

/**
 * Sig_structure: the bytes that the signature is over, before hashing.
 * @param externalData `external_aad`: bound by the signature and not carried in the envelope
 */
export function coseToBeSigned(
  algorithm: CoseAlgorithm,
  payload: Buffer,
  externalData: Buffer = NO_EXTERNAL_DATA,
): Buffer {
  return writeCbor([CONTEXT, encodeProtected(algorithm), externalData, payload]);
}

/** @param privateKey on the curve of the algorithm */
export function signCoseSign1(
  algorithm: CoseAlgorithm,
  payload: Buffer,
  privateKey: KeyObject,
  externalData?: Buffer,
): Buffer {
  const toBeSigned = coseToBeSigned(algorithm, payload, externalData);
  const signature = sign(algorithm.hash, toBeSigned, { key: privateKey, dsaEncoding: DSA_ENCODING });
  return encodeCoseSign1({ algorithm, payload, signature });
}

/** Whether the signature is that of this key, which must be on the curve of the algorithm. */
export function isCoseSignedBy(
  { algorithm, payload, signature }: CoseSign1,
  publicKey: KeyObject,
  externalData?: Buffer,
): boolean {
  if (publicKey.asymmetricKeyDetails?.namedCurve !== algorithm.curve) return false;
  const toBeSigned = coseToBeSigned(algorithm, payload, externalData);
  return verify(algorithm.hash, toBeSigned, { key: publicKey, dsaEncoding: DSA_ENCODING }, signature);
}
