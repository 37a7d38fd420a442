/**
 * Who made a key set: an attestation document in which an enclave names the set and the request that it answered. A KMS key can seal for
 * whoever may call it, and an enclave has no memory: without this it could not tell a set of its own kind from one that the parent made.
 * Specification: docs/specs/key-sets.md; nitro-formats 3.6.
 *
 *   user_data = CBOR { "version": 1, "commitment": 48 bytes, "key_set_sha256": 32 bytes, "request_sha256": 32 bytes }   nonce = the request's
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { authenticateAttestationDocument } from '../../attestation/document/authenticate.ts';
import { parseAttestationDocument } from '../../attestation/document/parse.ts';
import { isZeroPcr } from '../../attestation/pcr.ts';
import { COMMITMENT_BYTES } from '../../attestation/runtime/statement.ts';
import { readCbor } from '../../encoding/cbor/reader.ts';
import { expectBytes, expectRecord, expectUint } from '../../encoding/cbor/shape.ts';
import { writeCbor } from '../../encoding/cbor/writer.ts';
import { FormatError } from '../../encoding/format-error.ts';
import { parseBoundedJson } from '../../runtime/bounded-json.ts';
import { describeError } from '../../runtime/errors.ts';
import { toPcrIndex } from '../../wire/brands.ts';
import { KeyError } from '../errors.ts';
import { type KeyRequest, readKeyRequest, type SignedKeyRequest } from '../requests/key-request.ts';
import { keySetDigest } from './key-set.ts';

const VERSION = 1;
const SHA256_BYTES = 32;
const MAX_DOCUMENT_BYTES = 16 * 1024;
const MAX_REQUEST_BYTES = 1024 * 1024;
/** Of its JSON: document and request in base64. */
export const MAX_TRANSCRIPT_BYTES = 2 * 1024 * 1024;
/** It has three, and they have no commas. */
const MAX_VALUES = 16;
const IMAGE_PCR = toPcrIndex(0);

const encoded = (maxBytes: number) => z.base64().max(4 * Math.ceil(maxBytes / 3));
const transcriptSchema = z.strictObject({
  version: z.literal(1),
  /** COSE_Sign1, base64. */
  document: encoded(MAX_DOCUMENT_BYTES),
  /** The signed request, base64 of its DSSE envelope's JSON, as it came. */
  request: encoded(MAX_REQUEST_BYTES),
});
export type Transcript = z.infer<typeof transcriptSchema>;

/** @param json as it came. @throws KeyError KEY_TRANSCRIPT_INVALID */
export function parseTranscript(json: Buffer): Transcript {
  if (json.length > MAX_TRANSCRIPT_BYTES)
    throw refuse('the transcript is too large', undefined, `${json.length} bytes`);
  let value: unknown;
  try {
    value = parseBoundedJson(json, MAX_VALUES);
  } catch (cause) {
    throw refuse('the transcript is not JSON', cause);
  }
  const parsed = transcriptSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw refuse('the transcript is malformed', undefined, z.prettifyError(parsed.error));
}

export interface TranscriptData {
  /** To the runtime statement of the enclave that made the set, 48 bytes. */
  readonly commitment: Buffer;
  readonly keySetSha256: Buffer;
  /** Of the payload that operators signed. */
  readonly requestSha256: Buffer;
}

export function encodeTranscriptData({ commitment, keySetSha256, requestSha256 }: TranscriptData): Buffer {
  return writeCbor({ version: VERSION, commitment, key_set_sha256: keySetSha256, request_sha256: requestSha256 });
}

/** @throws FormatError */
function decodeTranscriptData(bytes: Buffer): TranscriptData {
  const names = ['version', 'commitment', 'key_set_sha256', 'request_sha256'];
  const map = expectRecord('user_data', readCbor(bytes), names);
  const version = expectUint('version of user_data', map.get('version'), Number.MAX_SAFE_INTEGER);
  if (version !== VERSION) throw new FormatError(`user_data has version ${version}; ${VERSION} is known`);
  const sized = (name: string, length: number) => expectBytes(name, map.get(name), length, length);
  const data = {
    commitment: sized('commitment', COMMITMENT_BYTES),
    keySetSha256: sized('key_set_sha256', SHA256_BYTES),
    requestSha256: sized('request_sha256', SHA256_BYTES),
  };
  if (encodeTranscriptData(data).equals(bytes)) return data;
  throw new FormatError('user_data is not in its one form');
}

export interface TranscriptDemands {
  /** DER of the root that vouches for this enclave's own documents (or that a verifier trusts). */
  readonly rootDer: Buffer;
  /** PCR0 of the images whose sets are taken, lower-case hex. */
  readonly images: readonly string[];
}

/** What an authentic transcript says. */
export interface ReadTranscript {
  readonly request: KeyRequest;
  readonly requestSha256: string;
  /** PCR0, lower-case hex. */
  readonly image: string;
  readonly commitment: Buffer;
  /** When the set was made, by the hypervisor's clock: milliseconds since the epoch. */
  readonly madeAtMs: number;
}

function refuse(message: string, cause?: unknown, found?: string): KeyError {
  return new KeyError('KEY_TRANSCRIPT_INVALID', message, {
    ...(found === undefined ? {} : { found }),
    ...(cause === undefined ? {} : { cause }),
  });
}

/** What an authentic transcript’s document says, whatever comes with it. */
export interface MadeBy {
  /** Of the key set, lower-case hex. */
  readonly keySetSha256: string;
  /** Of the payload that operators signed, lower-case hex. */
  readonly requestSha256: string;
  /** PCR0, lower-case hex. */
  readonly image: string;
  readonly madeAtMs: number;
}

/**
 * The document alone, without set and request. Judged at the time that it names.
 * @param document COSE_Sign1
 * @throws KeyError KEY_TRANSCRIPT_INVALID
 */
export function readTranscriptDocument(document: Buffer, rootDer: Buffer): MadeBy {
  const { userData, pcrs, timestampMs } = authenticate(document, rootDer);
  const { keySetSha256, requestSha256 } = readData(userData);
  return {
    keySetSha256: keySetSha256.toString('hex'),
    requestSha256: requestSha256.toString('hex'),
    image: pcrs.get(IMAGE_PCR)?.toString('hex') ?? '',
    madeAtMs: timestampMs,
  };
}

/**
 * Judged at the time that the document names: it is archived evidence.
 * @param encoding of the key set, as it came
 * @throws KeyError KEY_TRANSCRIPT_INVALID, KEY_TRANSCRIPT_OTHER_SET, KEY_TRANSCRIPT_OTHER_IMAGE
 */
export function readTranscript(transcript: Transcript, encoding: Buffer, demands: TranscriptDemands): ReadTranscript {
  const document = authenticate(Buffer.from(transcript.document, 'base64'), demands.rootDer);
  const data = readData(document.userData);
  const digest = keySetDigest(encoding);
  if (data.keySetSha256.toString('hex') !== digest) {
    throw new KeyError('KEY_TRANSCRIPT_OTHER_SET', 'the transcript is of another key set', {
      found: data.keySetSha256.toString('hex'),
      allowed: digest,
    });
  }
  const image = requireImage(document.pcrs.get(IMAGE_PCR), demands.images);
  const request = readRequest(Buffer.from(transcript.request, 'base64'));
  const requestSha256 = createHash('sha256').update(request.payload).digest();
  if (!requestSha256.equals(data.requestSha256))
    throw refuse('the transcript names another request than comes with it');
  if (document.nonce?.toString('hex') !== request.content.nonce)
    throw refuse('the transcript has another nonce than its request');
  return {
    request: request.content,
    requestSha256: requestSha256.toString('hex'),
    image,
    commitment: data.commitment,
    madeAtMs: document.timestampMs,
  };
}

function readRequest(envelope: Buffer): SignedKeyRequest {
  try {
    return readKeyRequest(envelope);
  } catch (cause) {
    throw refuse('the transcript has no request', cause, describeError(cause));
  }
}

function authenticate(bytes: Buffer, rootDer: Buffer) {
  try {
    const { payload } = parseAttestationDocument(bytes);
    return authenticateAttestationDocument(bytes, { rootDer, nowMs: payload.timestampMs });
  } catch (cause) {
    throw refuse('the transcript’s attestation document is not authentic', cause, describeError(cause));
  }
}

function readData(userData: Buffer | undefined): TranscriptData {
  if (userData === undefined) throw refuse('the transcript’s attestation document names no key set');
  try {
    return decodeTranscriptData(userData);
  } catch (cause) {
    throw refuse('the transcript’s attestation document names no key set', cause, describeError(cause));
  }
}

function requireImage(pcr0: Buffer | undefined, images: readonly string[]): string {
  const found = pcr0?.toString('hex') ?? 'none';
  if (pcr0 !== undefined && !isZeroPcr(pcr0) && images.includes(found)) return found;
  throw new KeyError('KEY_TRANSCRIPT_OTHER_IMAGE', 'the key set was made in an image that this one does not trust', {
    found: `PCR0 ${found}`,
    allowed: images.join(', '),
  });
}
