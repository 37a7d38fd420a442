/**
 * One key set on the parent's disk: a folder with the set and its transcript, as the enclave handed them out. What is read here is only
 * whether it is whole, and what it says of itself; the enclave judges whether it is true.
 */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAttestationDocument } from '../../attestation/document/parse.ts';
import type { Envelope } from '../../attestation/published/envelope.ts';
import { FormatError } from '../../encoding/format-error.ts';
import { type KeyAction, readKeyRequest } from '../../keys/requests/key-request.ts';
import { clientsOf } from '../../keys/set/clients.ts';
import { decodeKeySet, keySetDigest, MAX_KEY_SET_BYTES } from '../../keys/set/key-set.ts';
import { MAX_TRANSCRIPT_BYTES, parseTranscript } from '../../keys/set/transcript.ts';

export const KEY_SET_FILE = 'key-set.json';
export const TRANSCRIPT_FILE = 'transcript.json';

const GENERATION_DIGITS = 6;
const HASH_DIGITS = 16;
/** Up to 999,999 by name in their order; sorted by number in any case. */
const FOLDER_NAME = /^\d{6,16}-[0-9a-f]{16}$/;

export interface KeySetFiles {
  /** Canonical JSON, as it came. */
  readonly keySet: Buffer;
  /** JSON. */
  readonly transcript: Buffer;
}

/** What key set and transcript say of themselves. */
export interface KeySetFacts {
  readonly generation: number;
  /** Of the key set: its name. */
  readonly sha256: string;
  /** Of the set that it was made from; null for a ceremony's. */
  readonly previous: string | null;
  readonly action: KeyAction['kind'];
  /** SHA-256 of the request's payload. */
  readonly request: string;
  /** SHA-256 of the keys that signed the request, as its envelope names them (signersOf). */
  readonly approvedBy: readonly string[];
  /** By the hypervisor's clock, as the transcript's document says. */
  readonly madeAtMs: number;
  /** How many have keys. */
  readonly clients: number;
  /** The transcript's attestation document, base64. */
  readonly document: string;
}

const KEY_ID = /^[0-9a-f]{64}$/;

/**
 * A hint of whoever wrote the envelope (DSSE), which nobody here can verify: what cannot be the hash of a key names nobody. Each once.
 * @returns SHA-256 of keys, lower-case hex, or `unnamed`
 */
export function signersOf({ signatures }: Envelope): readonly string[] {
  return [...new Set(signatures.map(({ keyId }) => (KEY_ID.test(keyId) ? keyId : 'unnamed')))];
}

/** @throws KeyError, FormatError, AttestationError: what is wrong with it */
export function factsOf({ keySet, transcript }: KeySetFiles): KeySetFacts {
  const set = decodeKeySet(keySet);
  const { generation, previous } = set;
  const { document, request } = parseTranscript(transcript);
  const signed = readKeyRequest(Buffer.from(request, 'base64'));
  return {
    generation,
    sha256: keySetDigest(keySet),
    previous,
    action: signed.content.action.kind,
    request: createHash('sha256').update(signed.payload).digest('hex'),
    approvedBy: signersOf(signed.envelope),
    madeAtMs: parseAttestationDocument(Buffer.from(document, 'base64')).payload.timestampMs,
    clients: clientsOf(set).length,
    document,
  };
}

/** `000007-0123456789abcdef` */
export function folderNameOf({ generation, sha256 }: Pick<KeySetFacts, 'generation' | 'sha256'>): string {
  return `${String(generation).padStart(GENERATION_DIGITS, '0')}-${sha256.slice(0, HASH_DIGITS)}`;
}

/** As its name says, whatever is in it. */
export const generationOfFolder = (name: string): number => Number(name.split('-', 1)[0]);

export const isFolderName = (name: string): boolean => FOLDER_NAME.test(name);

async function readBounded(file: string, maxBytes: number): Promise<Buffer> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    if (size > maxBytes) throw new FormatError(`${file} has ${size} bytes; at most ${maxBytes} are allowed`);
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

/** @throws what the file system says; FormatError */
export async function readKeySetFiles(folder: string): Promise<KeySetFiles> {
  const keySet = await readBounded(join(folder, KEY_SET_FILE), MAX_KEY_SET_BYTES);
  return { keySet, transcript: await readBounded(join(folder, TRANSCRIPT_FILE), MAX_TRANSCRIPT_BYTES) };
}
