import fc from 'fast-check';
import t from 'tap';
import { encodeAttestationPayload } from '../../../attestation/document/encode.ts';
import { parseAttestationDocument } from '../../../attestation/document/parse.ts';
import { AttestationError } from '../../../attestation/errors.ts';
import { type CborWritable, writeCbor } from '../../../encoding/cbor/writer.ts';
import { throwsCode } from '../../support/coded-error.ts';
import { DEBUG_TIME_MS, debugDocument, REAL_TIME_MS, realDocument } from '../support/aws-documents.ts';
import { hex } from '../support/der.ts';
import { payload, pcr } from '../support/payload.ts';

const ES384 = hex('a1013822');
const signature = Buffer.alloc(96, 1);
const empty = new Map<number, CborWritable>();

function envelope(payloadBytes: Buffer): Buffer {
  return writeCbor([ES384, empty, payloadBytes, signature]);
}

t.test('reads the documents of real enclaves', (t) => {
  const real = parseAttestationDocument(realDocument).payload;
  t.equal(real.moduleId, 'i-020b6af9246d90e92-enc0183d09086c24190');
  t.equal(real.timestampMs, REAL_TIME_MS);
  t.same([...real.pcrs.keys()], [...Array(16).keys()]);
  t.equal(real.cabundle.length, 4);
  t.equal(real.nonce?.length, 256);
  t.equal(real.publicKey, undefined);

  const debug = parseAttestationDocument(debugDocument).payload;
  t.equal(debug.timestampMs, DEBUG_TIME_MS);
  t.equal(debug.userData?.toString(), 'hello, world!');
  t.equal(debug.nonce, undefined);
  t.end();
});

t.test('writes the payloads of real enclaves back byte for byte', (t) => {
  for (const document of [realDocument, debugDocument]) {
    const { payload, envelope } = parseAttestationDocument(document);
    t.same(encodeAttestationPayload(payload), envelope.payload);
  }
  t.end();
});

t.test('accepts tag 18, and only once', (t) => {
  const tagged = Buffer.concat([hex('d2'), realDocument]);
  t.same(parseAttestationDocument(tagged), parseAttestationDocument(realDocument));
  const twice = Buffer.concat([hex('d2'), tagged]);
  throwsCode(() => parseAttestationDocument(twice), AttestationError, 'ATTESTATION_COSE_INVALID');
  t.end();
});

t.test('keeps nothing of the bytes it was given', (t) => {
  const bytes = Buffer.from(realDocument);
  const before = parseAttestationDocument(bytes);
  bytes.fill(0);
  t.same(before, parseAttestationDocument(realDocument));
  t.end();
});

const body = encodeAttestationPayload(payload());
const COSE_REFUSED: readonly [why: string, bytes: Buffer][] = [
  ['nothing', Buffer.alloc(0)],
  ['another tag', Buffer.concat([hex('d1'), envelope(body)])],
  ['an array of 3', writeCbor([ES384, empty, body])],
  ['an array of 5', writeCbor([ES384, empty, body, signature, null])],
  ['a map', writeCbor({})],
  ['the algorithm ES256', writeCbor([hex('a10126'), empty, body, signature])],
  ['the algorithm ES512', writeCbor([hex('a1013823'), empty, body, signature])],
  ['a second protected header', writeCbor([hex('a201382204 41aa'), empty, body, signature])],
  ['an unprotected header', writeCbor([ES384, new Map([[4, hex('aa')]]), body, signature])],
  ['a detached payload', writeCbor([ES384, empty, null, signature])],
  ['an empty payload', writeCbor([ES384, empty, Buffer.alloc(0), signature])],
  ['a payload of 16385 bytes', writeCbor([ES384, empty, Buffer.alloc(16385), signature])],
  ['a signature of 64 bytes', writeCbor([ES384, empty, body, Buffer.alloc(64)])],
  ['a signature of 97 bytes', writeCbor([ES384, empty, body, Buffer.alloc(97)])],
  ['an array of indefinite length', Buffer.concat([hex('9f'), envelope(body).subarray(1), hex('ff')])],
  ['trailing bytes', Buffer.concat([envelope(body), hex('00')])],
];

for (const [why, bytes] of COSE_REFUSED) {
  t.test(`rejects an envelope with ${why} (ATTESTATION_COSE_INVALID)`, (t) => {
    throwsCode(() => parseAttestationDocument(bytes), AttestationError, 'ATTESTATION_COSE_INVALID');
    t.end();
  });
}

t.test('rejects what is longer than any document (ATTESTATION_TOO_LARGE)', (t) => {
  throwsCode(() => parseAttestationDocument(Buffer.alloc(16494)), AttestationError, 'ATTESTATION_TOO_LARGE');
  t.end();
});

type Fields = Readonly<Record<string, CborWritable>>;
const TIMESTAMP_MS = 1_780_000_000_000;
const fields: Fields = {
  module_id: 'i-0123-enc0123',
  digest: 'SHA384',
  timestamp: TIMESTAMP_MS,
  pcrs: new Map([[0, Buffer.alloc(48, 1)]]),
  certificate: Buffer.from('leaf'),
  cabundle: [Buffer.from('root')],
  public_key: null,
  user_data: null,
  nonce: null,
};

function without(key: string): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => name !== key));
}

function pcrs(count: number): CborWritable {
  return new Map(Array.from({ length: count }, (_, i) => [i, Buffer.alloc(48)]));
}

const ACCEPTED: readonly [why: string, changed: Fields][] = [
  ['no changes', fields],
  ['left-out optional fields', { ...without('nonce') }],
  ['PCR 31', { ...fields, pcrs: new Map([[31, Buffer.alloc(48)]]) }],
  ['32 PCRs', { ...fields, pcrs: pcrs(32) }],
  ['a nonce of 1024 bytes', { ...fields, nonce: Buffer.alloc(1024) }],
  ['an empty nonce', { ...fields, nonce: Buffer.alloc(0) }],
  ['a public key of 1024 bytes', { ...fields, public_key: Buffer.alloc(1024) }],
  ['a certificate of 1024 bytes', { ...fields, certificate: Buffer.alloc(1024) }],
  ['a timestamp of 1', { ...fields, timestamp: 1 }],
];

for (const [why, changed] of ACCEPTED) {
  t.test(`accepts a payload with ${why}`, (t) => {
    t.ok(parseAttestationDocument(envelope(writeCbor(changed))));
    t.end();
  });
}

const REFUSED: readonly [why: string, changed: CborWritable][] = [
  ...[...Object.keys(fields)].slice(0, 6).map((key): [string, Fields] => [`no ${key}`, without(key)]),
  ['an unknown key', { ...fields, extra: null }],
  ['an integer key', new Map([[1, 'i-0123']])],
  ['an array for the map', [1]],
  ['an empty module_id', { ...fields, module_id: '' }],
  ['a module_id of 257 characters', { ...fields, module_id: 'x'.repeat(257) }],
  ['a module_id in bytes', { ...fields, module_id: Buffer.from('i-0123') }],
  ['the digest SHA256', { ...fields, digest: 'SHA256' }],
  ['the digest null', { ...fields, digest: null }],
  ['a timestamp of 0', { ...fields, timestamp: 0 }],
  ['a negative timestamp', { ...fields, timestamp: -1 }],
  ['no PCR', { ...fields, pcrs: new Map() }],
  ['PCR 32', { ...fields, pcrs: new Map([[32, Buffer.alloc(48)]]) }],
  ['a negative PCR index', { ...fields, pcrs: new Map([[-1, Buffer.alloc(48)]]) }],
  ['33 PCRs', { ...fields, pcrs: pcrs(33) }],
  ['a text as PCR index', { ...fields, pcrs: { '0': Buffer.alloc(48) } }],
  ['a PCR of 32 bytes', { ...fields, pcrs: new Map([[0, Buffer.alloc(32)]]) }],
  ['a PCR of 64 bytes', { ...fields, pcrs: new Map([[0, Buffer.alloc(64)]]) }],
  ['a PCR of 49 bytes', { ...fields, pcrs: new Map([[0, Buffer.alloc(49)]]) }],
  ['PCRs in an array', { ...fields, pcrs: [Buffer.alloc(48)] }],
  ['an empty certificate', { ...fields, certificate: Buffer.alloc(0) }],
  ['a certificate of 1025 bytes', { ...fields, certificate: Buffer.alloc(1025) }],
  ['a certificate of null', { ...fields, certificate: null }],
  ['an empty cabundle', { ...fields, cabundle: [] }],
  ['an empty certificate in cabundle', { ...fields, cabundle: [Buffer.alloc(0)] }],
  ['1025 bytes in cabundle', { ...fields, cabundle: [Buffer.alloc(1025)] }],
  ['a cabundle that is no array', { ...fields, cabundle: Buffer.from('root') }],
  ['an empty public key', { ...fields, public_key: Buffer.alloc(0) }],
  ['a public key of 1025 bytes', { ...fields, public_key: Buffer.alloc(1025) }],
  ['user data of 1025 bytes', { ...fields, user_data: Buffer.alloc(1025) }],
  ['a nonce of 1025 bytes', { ...fields, nonce: Buffer.alloc(1025) }],
  ['a nonce that is text', { ...fields, nonce: 'nonce' }],
  ['a nonce that is false', { ...fields, nonce: false }],
];

for (const [why, changed] of REFUSED) {
  t.test(`rejects a payload with ${why} (ATTESTATION_PAYLOAD_INVALID)`, (t) => {
    const bytes = envelope(writeCbor(changed));
    throwsCode(() => parseAttestationDocument(bytes), AttestationError, 'ATTESTATION_PAYLOAD_INVALID');
    t.end();
  });
}

const RAW_REFUSED: readonly [why: string, edit: (bytes: Buffer) => Buffer][] = [
  ['trailing bytes', (bytes) => Buffer.concat([bytes, hex('00')])],
  ['a map of indefinite length', (bytes) => Buffer.concat([hex('bf'), bytes.subarray(1), hex('ff')])],
  ['a timestamp above 2^53', (bytes) => replaceOnce(bytes, writeCbor(TIMESTAMP_MS), hex('1b0020000000000000'))],
  ['a key that is there twice', (bytes) => Buffer.concat([hex('aa'), bytes.subarray(1), hex('656e6f6e6365f6')])],
];

function replaceOnce(bytes: Buffer, old: Buffer, by: Buffer): Buffer {
  const at = bytes.indexOf(old);
  return Buffer.concat([bytes.subarray(0, at), by, bytes.subarray(at + old.length)]);
}

for (const [why, edit] of RAW_REFUSED) {
  t.test(`rejects a payload with ${why} (ATTESTATION_PAYLOAD_INVALID)`, (t) => {
    const bytes = envelope(edit(writeCbor(fields)));
    throwsCode(() => parseAttestationDocument(bytes), AttestationError, 'ATTESTATION_PAYLOAD_INVALID');
    t.end();
  });
}

t.test('reads back every payload that can be written', (t) => {
  const bytes = (minLength: number, maxLength: number) =>
    fc.uint8Array({ minLength, maxLength }).map((array) => Buffer.from(array));
  const optional = (min: number) => fc.option(bytes(min, 40), { nil: undefined });
  const anyPayload = fc.record({
    moduleId: fc.string({ minLength: 1, maxLength: 40 }),
    digest: fc.constant('SHA384' as const),
    timestampMs: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    pcrs: fc
      .uniqueArray(fc.nat(31), { minLength: 1, maxLength: 32 })
      .map((indexes) => new Map(indexes.sort((a, b) => a - b).map((index) => pcr(index)))),
    certificate: bytes(1, 40),
    cabundle: fc.array(bytes(1, 40), { minLength: 1, maxLength: 5 }),
    publicKey: optional(1),
    userData: optional(0),
    nonce: optional(0),
  });
  fc.assert(
    fc.property(anyPayload, (written) => {
      t.same(parseAttestationDocument(envelope(encodeAttestationPayload(written))).payload, written);
    }),
    { seed: 5, numRuns: 100 },
  );
  t.end();
});
