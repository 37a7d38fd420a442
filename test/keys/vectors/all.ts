/** All vectors of key sets: two that are right, and one change each of what must be refused. */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../../../encoding/canonical-json.ts';
import { writeCbor } from '../../../encoding/cbor/writer.ts';
import type { KeyRequest } from '../../../keys/requests/key-request.ts';
import type { KeySet } from '../../../keys/set/key-set.ts';
import { pemOf } from '../../attestation/support/certificate.ts';
import { makeChain } from '../../attestation/support/chain.ts';
import { pcr } from '../../attestation/support/payload.ts';
import { honestPayload } from '../../attestation/verify/support/evidence.ts';
import { judged, type KeySetVector, type VectorCommon, type VectorFile, type VectorInputs } from './judge.ts';
import {
  ANNA,
  BOOT_KEY,
  BORIS,
  CLIENT,
  COMMITMENT,
  chain,
  type MadeSet,
  makeSet,
  PCR0,
  requestFor,
  STRANGER,
  secretOf,
  signedRequest,
  stated,
  type TranscriptChanges,
  transcriptJson,
  transcriptOf,
} from './parts.ts';

const COMMON: VectorCommon = {
  root: pemOf(chain.root),
  images: ['66'.repeat(48), PCR0],
  bootKey: BOOT_KEY.toString('hex'),
  operators: { anna: ANNA.publicPem, boris: BORIS.publicPem },
  approvals: 2,
};

const bare = requestFor({ kind: 'ceremony', clients: [CLIENT], secrets: [] });
const CEREMONY = requestFor({
  kind: 'ceremony',
  clients: [CLIENT],
  secrets: [secretOf(bare, 'app', 'pässword of app')],
});
const FIRST = makeSet(1, null);
const ROTATION = requestFor({ kind: 'rotate-master' }, { from: FIRST.sha256 });
const SECOND = makeSet(2, FIRST.sha256);
const BOTH = [ANNA, BORIS];

interface Changes extends TranscriptChanges {
  readonly set?: MadeSet;
  /** In the place of the set's own. */
  readonly encoding?: Buffer;
  readonly request?: KeyRequest;
  /** The file, in the place of one that both operators have signed. */
  readonly envelope?: Buffer;
  readonly transcript?: Buffer;
  readonly dataKey?: Buffer;
}

function inputsOf({ set = FIRST, request = CEREMONY, ...changes }: Changes): VectorInputs {
  const { encoding = set.encoding, envelope = signedRequest(request, BOTH), dataKey = set.dataKey, ...more } = changes;
  const { transcript = transcriptJson(transcriptOf(encoding, envelope, request, more)) } = changes;
  return {
    keySet: encoding.toString('base64'),
    transcript: transcript.toString('base64'),
    dataKey: dataKey.toString('hex'),
  };
}

type Source = readonly [name: string, changes: Changes];

const setWith = (change: Partial<KeySet>) => Buffer.from(canonicalJson({ ...FIRST.set, ...change }));
const text = FIRST.encoding.toString();
const [file, ...files] = FIRST.set.keystore;
const [secret] = FIRST.set.secrets;
const [ids] = FIRST.set.keyIds as [KeySet['keyIds'][number]];
const without = (set: KeySet, name: keyof KeySet) =>
  Object.fromEntries(Object.entries(set).filter(([member]) => member !== name)) as Partial<KeySet>;

const KEY_SETS: readonly Source[] = [
  ['no JSON', { encoding: Buffer.from('key set') }],
  ['a line feed at its end', { encoding: Buffer.from(`${text}\n`) }],
  ['members in another order', { encoding: Buffer.from(JSON.stringify(FIRST.set)) }],
  ['a member twice', { encoding: Buffer.from(text.replace('"version":1', '"version":1,"version":1')) }],
  ['an unknown member', { encoding: Buffer.from(text.replace('{', '{"a":1,')) }],
  ['version 2', { encoding: Buffer.from(text.replace('"version":1', '"version":2')) }],
  ['generation 0', { encoding: setWith({ generation: 0 }) }],
  ['half a generation', { encoding: Buffer.from(text.replace('"generation":1', '"generation":1.5')) }],
  ['a keeper that is not known', { encoding: Buffer.from(text.replace('"kind":"kms"', '"kind":"disk"')) }],
  ['no file', { encoding: setWith({ keystore: [] }) }],
  ['a file twice', { encoding: setWith({ keystore: [file, file, ...files].filter((each) => each !== undefined) }) }],
  ['files in another order', { encoding: setWith({ keystore: FIRST.set.keystore.toReversed() }) }],
  ['a secret twice', { encoding: setWith({ secrets: [secret, secret].filter((each) => each !== undefined) }) }],
  ['a third secret of a user', { encoding: Buffer.from(text.replace('"slot":"secret"', '"slot":"third"')) }],
  ['the hash of no set before it', { encoding: setWith({ previous: 'ab' }) }],
  ['ids of a client twice', { encoding: setWith({ keyIds: [ids, ids] }) }],
  ['ids of clients in another order', { encoding: setWith({ keyIds: [ids, { ...ids, clientId: '' }] }) }],
  ['old ids in another order', { encoding: setWith({ keyIds: [{ ...ids, old: ['0b0b', '0a0a'] }] }) }],
  ['an old id twice', { encoding: setWith({ keyIds: [{ ...ids, old: ['0a0a', '0a0a'] }] }) }],
  ['an id of three digits', { encoding: setWith({ keyIds: [{ ...ids, current: '0a0' }] }) }],
  ['no ids of keys', { encoding: Buffer.from(canonicalJson(without(FIRST.set, 'keyIds'))) }],
  ['a text that is not Unicode', { encoding: Buffer.from(text.replace('"name":"patients"', '"name":"\\ud800"')) }],
];

const UNSEALABLE: readonly Source[] = [
  ['the data key of another set', { dataKey: SECOND.dataKey }],
  ['another generation', { encoding: setWith({ generation: 7 }) }],
  ['another name', { encoding: setWith({ name: 'other' }) }],
  ['another set before it', { encoding: setWith({ previous: SECOND.sha256 }) }],
  ['another encryption context', { encoding: setWith({ keeper: SECOND.set.keeper }) }],
  ['the master key of another set', { encoding: setWith({ masterKey: SECOND.set.masterKey }) }],
  ['the keystore of another set', { encoding: setWith({ keystore: SECOND.set.keystore }) }],
  ['one file less', { encoding: setWith({ keystore: files }) }],
  ['no secrets', { encoding: setWith({ secrets: [] }) }],
  ['ids of keys of another set', { encoding: setWith({ keyIds: SECOND.set.keyIds }) }],
  ['an old id less', { encoding: setWith({ keyIds: [{ ...ids, old: [] }] }) }],
  ['a master key of 59 bytes', { encoding: setWith({ masterKey: Buffer.alloc(59).toString('base64') }) }],
];

const data = (changes: Record<string, unknown>) =>
  writeCbor({
    version: 1,
    commitment: COMMITMENT,
    key_set_sha256: Buffer.from(FIRST.sha256, 'hex'),
    request_sha256: createHash('sha256').update(canonicalJson(CEREMONY)).digest(),
    ...changes,
  } as Parameters<typeof writeCbor>[0]);
const right = transcriptOf(FIRST.encoding, signedRequest(CEREMONY, BOTH), CEREMONY);
const damaged = Buffer.from(right.document, 'base64');
damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
const registers = (...changed: ReturnType<typeof pcr>[]) => new Map([...honestPayload(chain, stated).pcrs, ...changed]);

const TRANSCRIPTS: readonly Source[] = [
  ['no JSON', { transcript: Buffer.from('transcript') }],
  ['an unknown member', { transcript: transcriptJson({ ...right, more: 1 }) }],
  ['version 2', { transcript: transcriptJson({ ...right, version: 2 }) }],
  ['no document', { transcript: transcriptJson({ ...right, document: '' }) }],
  [
    'a document whose signature was changed',
    { transcript: transcriptJson({ ...right, document: damaged.toString('base64') }) },
  ],
  ['a document of another root', { of: makeChain({}, 'another authority') }],
  ['a document without user data', { userData: undefined }],
  [
    'a document that answers a stranger',
    { userData: writeCbor({ version: 1, commitment: COMMITMENT, tls_key_sha256: Buffer.alloc(32, 7) }) },
  ],
  ['user data of version 2', { userData: data({ version: 2 }) }],
  ['user data with an unknown member', { userData: data({ more: 1 }) }],
  ['user data with a hash of 31 bytes', { userData: data({ request_sha256: Buffer.alloc(31) }) }],
  ['another nonce than the request', { nonce: Buffer.alloc(32, 9) }],
  ['another request than the document names', { userData: data({ request_sha256: Buffer.alloc(32) }) }],
  [
    'the request of another set',
    { transcript: transcriptJson({ ...right, request: signedRequest(ROTATION, BOTH).toString('base64') }) },
  ],
  ['no request', { transcript: transcriptJson({ ...right, request: Buffer.from('{}').toString('base64') }) }],
];

const unsignedPayload = Buffer.from(`${canonicalJson(CEREMONY)}\n`);
const RIGHT_ENVELOPE = JSON.parse(signedRequest(CEREMONY, BOTH).toString());
const envelopeWith = (change: object) => Buffer.from(JSON.stringify({ ...RIGHT_ENVELOPE, ...change }));
const [annas] = RIGHT_ENVELOPE.signatures;

const UNAPPROVED: readonly Source[] = [
  ['one of two', { envelope: signedRequest(CEREMONY, [ANNA]) }],
  ['one of two, twice', { envelope: envelopeWith({ signatures: [annas, annas] }) }],
  [
    'one of two, under both names',
    { envelope: envelopeWith({ signatures: [annas, { ...annas, keyid: BORIS.key.keyId }] }) },
  ],
  ['one of two, and a stranger', { envelope: signedRequest(CEREMONY, [ANNA, STRANGER]) }],
  [
    'two for another request',
    { envelope: envelopeWith({ signatures: JSON.parse(signedRequest(ROTATION, BOTH).toString()).signatures }) },
  ],
];

const MALFORMED: readonly Source[] = [
  [
    'a payload that is not in its one form',
    { envelope: envelopeWith({ payload: unsignedPayload.toString('base64') }) },
  ],
  ['a type of something else', { envelope: envelopeWith({ payloadType: 'application/vnd.in-toto+json' }) }],
];

type Group = readonly [prefix: string, clause: string, sources: readonly Source[], code: string | undefined];
const GROUPS: readonly Group[] = [
  [
    'accepted: ',
    'key-sets 1 to 3',
    [
      ['a ceremony', {}],
      ['a change', { set: SECOND, request: ROTATION }],
    ],
    undefined,
  ],
  ['key set: ', 'key-sets 1: the one form', KEY_SETS, 'KEY_SET_INVALID'],
  ['mixed: ', 'key-sets 1: bound to the data key', UNSEALABLE, 'KEY_SET_UNSEALABLE'],
  ['transcript: ', 'key-sets 2', TRANSCRIPTS, 'KEY_TRANSCRIPT_INVALID'],
  ['transcript: request with ', 'key-sets 3: the one form', MALFORMED, 'KEY_TRANSCRIPT_INVALID'],
  [
    'transcript: ',
    'key-sets 2: names this set',
    [
      ['of the set before', { encoding: SECOND.encoding, transcript: transcriptJson(right), dataKey: SECOND.dataKey }],
      [
        'of a set with one changed byte',
        { encoding: setWith({ previous: SECOND.sha256 }), transcript: transcriptJson(right) },
      ],
    ],
    'KEY_TRANSCRIPT_OTHER_SET',
  ],
  [
    'transcript: ',
    'key-sets 2: PCR0 is of a trusted image, and not zero',
    [
      ['of another image', { pcrs: registers(pcr(0, 0x5a)) }],
      ['of an enclave in debug mode', { pcrs: registers(pcr(0, 0)) }],
    ],
    'KEY_TRANSCRIPT_OTHER_IMAGE',
  ],
  ['approvals: ', 'key-sets 3: as many as the configuration demands', UNAPPROVED, 'KEY_REQUEST_UNAPPROVED'],
];

async function vectorOf([prefix, clause, , code]: Group, [name, changes]: Source): Promise<KeySetVector> {
  const inputs = inputsOf(changes);
  const expect = await judged(inputs, COMMON);
  const found = typeof expect === 'string' ? expect : undefined;
  if (found !== code) throw new Error(`${prefix}${name}: ${found ?? 'accepted'}, not ${code ?? 'accepted'}`);
  return { name: `${prefix}${name}`, clause, ...inputs, expect };
}

/** The file's content: what all have in common first, then one vector a line. */
export async function vectorFile(): Promise<string> {
  const vectors: KeySetVector[] = [];
  for (const group of GROUPS) for (const source of group[2]) vectors.push(await vectorOf(group, source));
  const head = JSON.stringify({ version: 1, ...COMMON } satisfies Omit<VectorFile, 'vectors'>);
  const lines = vectors.map((vector) => JSON.stringify(vector));
  return `${head.slice(0, -1)},"vectors":[\n${lines.join(',\n')}\n]}\n`;
}
