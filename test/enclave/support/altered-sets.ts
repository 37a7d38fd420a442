/**
 * What the parent can make of two key sets that enclaves of his have made: parts of one in the other, and transcripts that are another's, are
 * changed, or signed by nobody. Each with the code by which an enclave refuses it.
 */

import { encodeAttestationPayload } from '../../../attestation/document/encode.ts';
import { readStatedDocument } from '../../../attestation/document/stated-document.ts';
import { writeCbor } from '../../../encoding/cbor/writer.ts';
import type { KeyErrorCode } from '../../../keys/errors.ts';
import { encodeKeySet, GENERATION_CONTEXT, type KeySet } from '../../../keys/set/key-set.ts';
import { parseTranscript } from '../../../keys/set/transcript.ts';
import { type KeptSet, setOf } from '../../support/key-parent.ts';
import { kmsKeeperOf, transcriptOf } from './forged-keys.ts';

export interface Offer {
  readonly what: string;
  readonly kept: KeptSet;
  readonly code: KeyErrorCode;
}

export interface ExchangedOffer extends Offer {
  /** If its transcript were one that verifies. */
  readonly behind: string;
}

/** @param ofOtherKey a data key, base64 */
type Exchange = (set: KeySet, other: KeySet, ofOtherKey: string) => Partial<KeySet>;

/** QEMU's module, in the place of certificate, chain and signature; and {1: -1}, no algorithm that signs. */
const ZEROS = Buffer.alloc(64);
const NO_ALGORITHM = Buffer.from('a10120', 'hex');

const withKeeper = (set: KeySet, part: Partial<ReturnType<typeof kmsKeeperOf>>): Partial<KeySet> => ({
  keeper: { ...kmsKeeperOf(set), ...part },
});

const otherArn = (arn: string) => arn.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
const nextContext = (set: KeySet) => ({ ...kmsKeeperOf(set).encryptionContext, [GENERATION_CONTEXT]: '2' });

const EXCHANGES: Readonly<Record<string, { readonly exchange: Exchange; readonly behind: string }>> = {
  'the data key of another set': {
    exchange: (set, other) => withKeeper(set, { dataKey: kmsKeeperOf(other).dataKey }),
    behind: 'KEY_SET_UNSEALABLE',
  },
  'a data key under another KMS key': {
    exchange: (set, _, ofOtherKey) => withKeeper(set, { dataKey: ofOtherKey }),
    behind: 'KMS_INCORRECT_KEY',
  },
  'the name of another KMS key': {
    exchange: (set) => withKeeper(set, { keyArn: otherArn(kmsKeeperOf(set).keyArn) }),
    behind: 'KEY_SET_OTHER_KEEPER',
  },
  'the encryption context of another generation': {
    exchange: (set) => withKeeper(set, { encryptionContext: nextContext(set) }),
    behind: 'KEY_SET_OTHER_KEEPER',
  },
  'another generation': { exchange: () => ({ generation: 2 }), behind: 'KEY_SET_OTHER_KEEPER' },
  'another generation and its encryption context': {
    exchange: (set) => ({ generation: 2, ...withKeeper(set, { encryptionContext: nextContext(set) }) }),
    behind: 'KMS_INVALID_CIPHERTEXT',
  },
  'the master key of another set': { exchange: (_, { masterKey }) => ({ masterKey }), behind: 'KEY_SET_UNSEALABLE' },
  'a key file of another set': {
    exchange: ({ keystore }, other) => ({ keystore: [...other.keystore.slice(0, 1), ...keystore.slice(1)] }),
    behind: 'KEY_SET_UNSEALABLE',
  },
  'the password of another set': { exchange: (_, { secrets }) => ({ secrets }), behind: 'KEY_SET_UNSEALABLE' },
};

function withParts(kept: KeptSet, parts: Partial<KeySet>): KeptSet {
  return { ...kept, keySet: encodeKeySet({ ...setOf(kept), ...parts }).toString('base64') };
}

function partsOf({ transcript }: KeptSet) {
  const { document, request } = parseTranscript(Buffer.from(transcript, 'base64'));
  return { document: Buffer.from(document, 'base64'), request };
}

function withBitChanged(bytes: Buffer, offset: number): Buffer {
  const changed = Buffer.from(bytes);
  changed.writeUInt8(changed.readUInt8(offset) ^ 1, offset);
  return changed;
}

function unsigned(document: Buffer): Buffer {
  const { payload } = readStatedDocument(document);
  const stated = encodeAttestationPayload({ ...payload, certificate: ZEROS, cabundle: [ZEROS] });
  return writeCbor([NO_ALGORITHM, new Map(), stated, ZEROS]);
}

function transcripts(kept: KeptSet, other: KeptSet, attested: Buffer): readonly Offer[] {
  const { document, request } = partsOf(kept);
  const invalid = (what: string, shown: Buffer, asked = request): Offer => ({
    what,
    kept: { ...kept, transcript: transcriptOf(shown, asked) },
    code: 'KEY_TRANSCRIPT_INVALID',
  });
  const { userData = ZEROS } = readStatedDocument(document).payload;
  return [
    {
      what: 'the transcript of another set',
      kept: { ...kept, transcript: other.transcript },
      code: 'KEY_TRANSCRIPT_OTHER_SET',
    },
    invalid('the request of another set', document, partsOf(other).request),
    invalid('a bit of what the document states', withBitChanged(document, document.indexOf(userData))),
    invalid('a bit of the signature', withBitChanged(document, document.length - 1)),
    invalid('a document that nobody signed', unsigned(document)),
    invalid('what the enclave attests to everybody', attested),
  ];
}

/** @param kept a set of the first generation, as the others are of the same enclave @param ofOtherKey a data key under another KMS key, base64 */
export function exchangedParts(kept: KeptSet, other: KeptSet, ofOtherKey: string): readonly ExchangedOffer[] {
  return Object.entries(EXCHANGES).map(([what, { exchange, behind }]) => ({
    what,
    kept: withParts(kept, exchange(setOf(kept), setOf(other), ofOtherKey)),
    code: 'KEY_TRANSCRIPT_OTHER_SET',
    behind,
  }));
}

/** @param kept a set that would be taken @param other of the same enclave @param attested a document of it for a stranger */
export function alteredSets(kept: KeptSet, other: KeptSet, attested: Buffer): readonly Offer[] {
  const spaced = Buffer.concat([Buffer.from(kept.keySet, 'base64'), Buffer.from(' ')]).toString('base64');
  return [
    ...transcripts(kept, other, attested),
    { what: 'the name of another enclave', kept: withParts(kept, { name: 'other' }), code: 'KEY_SET_OTHER_ENCLAVE' },
    { what: 'another form of the same', kept: { ...kept, keySet: spaced }, code: 'KEY_SET_INVALID' },
  ];
}
