import fc from 'fast-check';
import t from 'tap';
import { parseAttestationDocument } from '../../../attestation/document/parse.ts';
import { readStatedDocument } from '../../../attestation/document/stated-document.ts';
import { AttestationError } from '../../../attestation/errors.ts';
import { type CborWritable, writeCbor } from '../../../encoding/cbor/writer.ts';
import { errorCode } from '../../../runtime/errors.ts';
import { throwsCode } from '../../support/coded-error.ts';
import { DEBUG_TIME_MS, debugDocument, REAL_TIME_MS, realDocument } from '../support/aws-documents.ts';
import { hex } from '../support/der.ts';
import { pcr } from '../support/payload.ts';
import { QEMU_MODULE_ID, QEMU_TIME_MS, qemuDocument, ZEROS } from '../support/qemu-document.ts';

const statedPayload = (document: Buffer) => readStatedDocument(document).payload;

t.test('reads what QEMU’s module states, though nothing is signed', async (t) => {
  t.same(statedPayload(qemuDocument({ nonce: Buffer.from('nonce') })), {
    moduleId: QEMU_MODULE_ID,
    digest: 'SHA384',
    timestampMs: QEMU_TIME_MS,
    pcrs: new Map(Array.from({ length: 16 }, (_, index) => pcr(index))),
    certificate: ZEROS,
    cabundle: [ZEROS],
    publicKey: undefined,
    userData: undefined,
    nonce: Buffer.from('nonce'),
  });
});

t.test('reads the documents of real enclaves as who verifies them does', async (t) => {
  for (const [document, timeMs] of [
    [realDocument, REAL_TIME_MS],
    [debugDocument, DEBUG_TIME_MS],
  ] as const) {
    const stated = statedPayload(document);
    t.equal(stated.timestampMs, timeMs);
    t.same(stated, parseAttestationDocument(document).payload);
  }
});

t.test('keeps nothing of the bytes it was given', async (t) => {
  const bytes = Buffer.from(realDocument);
  const before = statedPayload(bytes);
  bytes.fill(0);
  t.same(before, statedPayload(realDocument));
});

const empty = new Map<number, CborWritable>();
const REFUSED: readonly (readonly [string, Buffer])[] = [
  ['nothing', Buffer.alloc(0)],
  ['text', Buffer.from('not a document')],
  ['zeros', Buffer.alloc(1000)],
  ['ones', Buffer.alloc(1000, 0xff)],
  ['a map', writeCbor({ Attestation: { document: realDocument } })],
  ['an empty array', writeCbor([])],
  ['an array without payload', writeCbor([hex('a10120'), empty])],
  ['a payload that is text', writeCbor([hex('a10120'), empty, 'payload', ZEROS])],
  ['a detached payload', writeCbor([hex('a10120'), empty, null, ZEROS])],
  ['an empty payload', writeCbor([hex('a10120'), empty, Buffer.alloc(0), ZEROS])],
  ['a payload of 16385 bytes', writeCbor([hex('a10120'), empty, Buffer.alloc(16385), ZEROS])],
  ['a payload that is no map', writeCbor([hex('a10120'), empty, writeCbor([1]), ZEROS])],
  ['a timestamp of 0', qemuDocument({ timestampMs: 0 })],
  ['an empty cabundle', qemuDocument({ cabundle: [] })],
  ['trailing bytes', Buffer.concat([qemuDocument(), hex('00')])],
];

for (const [what, document] of REFUSED) {
  t.test(`rejects ${what} (ATTESTATION_PAYLOAD_INVALID)`, async (t) => {
    const error = throwsCode(() => statedPayload(document), AttestationError, 'ATTESTATION_PAYLOAD_INVALID');
    t.ok(error.cause instanceof Error, 'with the cause');
  });
}

/** Every way to end but a payload or the one code is a failure. */
function endsWell(document: Buffer): void {
  try {
    statedPayload(document);
  } catch (error) {
    if (error instanceof AttestationError && errorCode(error) === 'ATTESTATION_PAYLOAD_INVALID') return;
    throw error;
  }
}

const documents = fc.constantFrom(realDocument, debugDocument, qemuDocument());

t.test('rejects a document that is cut short, at every length (ATTESTATION_PAYLOAD_INVALID)', async () => {
  for (const document of [debugDocument, qemuDocument()]) {
    for (let length = 0; length < document.length; length += 1) {
      throwsCode(() => statedPayload(document.subarray(0, length)), AttestationError, 'ATTESTATION_PAYLOAD_INVALID');
    }
  }
});

t.test('rejects with no other code whatever bits are flipped (ATTESTATION_PAYLOAD_INVALID)', async (t) => {
  const flips = fc.array(fc.record({ at: fc.nat(), bit: fc.nat(7) }), { minLength: 1, maxLength: 8 });
  let tried = 0;
  fc.assert(
    fc.property(documents, flips, (document, positions) => {
      const bytes = Buffer.from(document);
      for (const { at, bit } of positions) bytes[at % bytes.length]! ^= 1 << bit;
      endsWell(bytes);
      tried += 1;
    }),
    { seed: 11, numRuns: 3000 },
  );
  t.equal(tried, 3000);
});

t.test('rejects with no other code a flip of any bit of the structure (ATTESTATION_PAYLOAD_INVALID)', async (t) => {
  const document = qemuDocument();
  for (let at = 0; at < document.length; at += 1) {
    for (let bit = 0; bit < 8; bit += 1) {
      const bytes = Buffer.from(document);
      bytes[at]! ^= 1 << bit;
      endsWell(bytes);
    }
  }
  t.pass(`${document.length * 8} flips`);
});

t.test('rejects with no other code what is no document at all (ATTESTATION_PAYLOAD_INVALID)', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => endsWell(Buffer.from(bytes))),
    { seed: 12, numRuns: 2000 },
  );
});
