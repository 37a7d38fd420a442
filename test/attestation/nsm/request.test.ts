import fc from 'fast-check';
import t from 'tap';
import { NsmError } from '../../../attestation/errors.ts';
import type { NsmRequest } from '../../../attestation/nsm/request.ts';
import { encodeNsmRequest, parseNsmRequest } from '../../../attestation/nsm/request.ts';
import { writeCbor } from '../../../encoding/cbor/writer.ts';
import { toPcrIndex } from '../../../wire/brands.ts';
import { throwsCode } from '../../support/coded-error.ts';
import { hex } from '../support/der.ts';

const index = toPcrIndex(16);

/** nitro-formats 3.5 */
const VECTORS: readonly [request: NsmRequest, bytes: string][] = [
  [{ kind: 'DescribeNSM' }, '6b44657363726962654e534d'],
  [{ kind: 'GetRandom' }, '6947657452616e646f6d'],
  [{ kind: 'DescribePCR', index: toPcrIndex(0) }, 'a16b4465736372696265504352a165696e64657800'],
  [{ kind: 'ExtendPCR', index, data: hex('010203') }, 'a169457874656e64504352a265696e64657810646461746143010203'],
  [{ kind: 'LockPCR', index }, 'a1674c6f636b504352a165696e64657810'],
  [{ kind: 'LockPCRs', range: 32 }, 'a1684c6f636b50435273a16572616e67651820'],
  [
    { kind: 'Attestation', request: {} },
    'a16b4174746573746174696f6ea369757365725f64617461f6656e6f6e6365f66a7075626c69635f6b6579f6',
  ],
  [
    { kind: 'Attestation', request: { userData: hex('01'), nonce: hex('02'), publicKey: hex('03') } },
    'a16b4174746573746174696f6ea369757365725f646174614101656e6f6e636541026a7075626c69635f6b65794103',
  ],
];

for (const [request, bytes] of VECTORS) {
  t.test(`writes and reads ${bytes.slice(0, 48)} byte for byte`, (t) => {
    t.equal(encodeNsmRequest(request).toString('hex'), bytes);
    t.same(parseNsmRequest(hex(bytes)), request);
    t.end();
  });
}

const attestation = (changes: Record<string, Buffer | null | number>) =>
  writeCbor({ Attestation: { user_data: null, nonce: null, public_key: null, ...changes } });

const REFUSED: readonly [why: string, bytes: Buffer, code: NsmError['code']][] = [
  ['nothing', Buffer.alloc(0), 'NSM_REQUEST_INVALID'],
  ['an unknown text', writeCbor('LockPCR'), 'NSM_REQUEST_INVALID'],
  ['an unknown request', writeCbor({ Reset: { index: 1 } }), 'NSM_REQUEST_INVALID'],
  ['two requests in one', writeCbor({ LockPCR: { index: 1 }, DescribePCR: { index: 1 } }), 'NSM_REQUEST_INVALID'],
  ['an empty map', writeCbor({}), 'NSM_REQUEST_INVALID'],
  ['a missing argument', writeCbor({ ExtendPCR: { index: 16 } }), 'NSM_REQUEST_INVALID'],
  ['an extra argument', writeCbor({ LockPCR: { index: 16, force: true } }), 'NSM_REQUEST_INVALID'],
  ['an argument of another type', writeCbor({ ExtendPCR: { index: 16, data: 'text' } }), 'NSM_REQUEST_INVALID'],
  ['a negative PCR index', writeCbor({ LockPCR: { index: -1 } }), 'NSM_REQUEST_INVALID'],
  ['PCR 32', writeCbor({ LockPCR: { index: 32 } }), 'NSM_INVALID_INDEX'],
  ['a PCR index beyond 16 bits', writeCbor({ LockPCR: { index: 65536 } }), 'NSM_REQUEST_INVALID'],
  ['a range of 33', writeCbor({ LockPCRs: { range: 33 } }), 'NSM_INVALID_INDEX'],
  ['a left-out nonce', writeCbor({ Attestation: { user_data: null, public_key: null } }), 'NSM_REQUEST_INVALID'],
  ['a nonce of 1025 bytes', attestation({ nonce: Buffer.alloc(1025) }), 'NSM_REQUEST_INVALID'],
  ['user data of 1025 bytes', attestation({ user_data: Buffer.alloc(1025) }), 'NSM_REQUEST_INVALID'],
  ['a public key of 1025 bytes', attestation({ public_key: Buffer.alloc(1025) }), 'NSM_REQUEST_INVALID'],
  ['an empty public key', attestation({ public_key: Buffer.alloc(0) }), 'NSM_REQUEST_INVALID'],
  ['a nonce that is no byte string', attestation({ nonce: 1 }), 'NSM_REQUEST_INVALID'],
  ['an index that is not in its shortest form', hex('a1674c6f636b504352a165696e6465781805'), 'NSM_REQUEST_INVALID'],
  ['trailing bytes', hex('6947657452616e646f6d00'), 'NSM_REQUEST_INVALID'],
  ['4097 bytes', writeCbor({ ExtendPCR: { index: 16, data: Buffer.alloc(4070) } }), 'NSM_REQUEST_TOO_LARGE'],
];

for (const [why, bytes, code] of REFUSED) {
  t.test(`rejects ${why} (${code})`, (t) => {
    throwsCode(() => parseNsmRequest(bytes), NsmError, code);
    t.end();
  });
}

t.test('accepts every limit itself', (t) => {
  const full = { userData: Buffer.alloc(1024), nonce: Buffer.alloc(1024), publicKey: Buffer.alloc(1024, 1) };
  t.same(parseNsmRequest(encodeNsmRequest({ kind: 'Attestation', request: full })), {
    kind: 'Attestation',
    request: full,
  });
  const last = { kind: 'LockPCR', index: toPcrIndex(31) } as const;
  t.same(parseNsmRequest(encodeNsmRequest(last)), last);
  const longest = writeCbor({ ExtendPCR: { index: 16, data: Buffer.alloc(4069) } });
  t.equal(longest.length, 4096);
  t.equal(parseNsmRequest(longest).kind, 'ExtendPCR');
  t.end();
});

t.test('keeps an empty nonce apart from none', (t) => {
  const request = { kind: 'Attestation', request: { nonce: Buffer.alloc(0) } } as const;
  t.same(parseNsmRequest(encodeNsmRequest(request)), request);
  t.end();
});

t.test('never writes a request that it would not read', (t) => {
  const attest = { kind: 'Attestation', request: { nonce: Buffer.alloc(1025) } } as const;
  throwsCode(() => encodeNsmRequest(attest), NsmError, 'NSM_REQUEST_INVALID');
  throwsCode(() => encodeNsmRequest({ kind: 'LockPCRs', range: 33 }), NsmError, 'NSM_INVALID_INDEX');
  throwsCode(() => encodeNsmRequest({ kind: 'LockPCRs', range: 1.5 }), NsmError, 'NSM_REQUEST_INVALID');
  const extend = { kind: 'ExtendPCR', index, data: Buffer.alloc(5000) } as const;
  throwsCode(() => encodeNsmRequest(extend), NsmError, 'NSM_REQUEST_TOO_LARGE');
  t.end();
});

t.test('copies what it reads out of the request', (t) => {
  const bytes = encodeNsmRequest({ kind: 'ExtendPCR', index, data: hex('010203') });
  const request = parseNsmRequest(bytes);
  bytes.fill(0);
  t.same(request, { kind: 'ExtendPCR', index, data: hex('010203') });
  t.end();
});

t.test('refuses arbitrary bytes with NsmError only', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        parseNsmRequest(Buffer.from(bytes));
      } catch (error) {
        if (!(error instanceof NsmError)) throw error;
      }
    }),
    { seed: 4, numRuns: 2000 },
  );
  t.end();
});
