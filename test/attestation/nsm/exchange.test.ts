import t from 'tap';
import { NsmError } from '../../../attestation/errors.ts';
import type { NsmExchange } from '../../../attestation/nsm/exchange.ts';
import { nsmOver } from '../../../attestation/nsm/exchange.ts';
import { parseNsmRequest } from '../../../attestation/nsm/request.ts';
import type { NsmDeviceError, NsmResponse } from '../../../attestation/nsm/response.ts';
import { encodeNsmResponse } from '../../../attestation/nsm/response.ts';
import { writeCbor } from '../../../encoding/cbor/writer.ts';
import { toPcrIndex } from '../../../wire/brands.ts';
import { rejectsCode } from '../../support/coded-error.ts';

const pcr16 = toPcrIndex(16);
const value = Buffer.alloc(48, 5);

/** Answers every request with the same bytes, and remembers both. */
function answering(response: NsmResponse | Buffer) {
  const requests: Buffer[] = [];
  const bytes = Buffer.isBuffer(response) ? response : encodeNsmResponse(response);
  const exchange: NsmExchange = {
    exchange: async (request) => {
      requests.push(request);
      return bytes;
    },
    close: async () => undefined,
  };
  return { nsm: nsmOver(exchange), requests, bytes };
}

t.test('asks for what it is told and hands over the answer', async (t) => {
  const random = answering({ kind: 'GetRandom', random: Buffer.from('random') });
  t.same(await random.nsm.random(), Buffer.from('random'));
  t.same(parseNsmRequest(random.requests[0]!), { kind: 'GetRandom' });

  const extend = answering({ kind: 'ExtendPCR', value });
  t.same(await extend.nsm.extendPcr(pcr16, Buffer.from('x')), value);
  t.same(parseNsmRequest(extend.requests[0]!), { kind: 'ExtendPCR', index: pcr16, data: Buffer.from('x') });

  const pcr = answering({ kind: 'DescribePCR', pcr: { locked: false, value } });
  t.same(await pcr.nsm.describePcr(pcr16), { locked: false, value });

  const lock = answering({ kind: 'LockPCR' });
  t.equal(await lock.nsm.lockPcr(pcr16), undefined);
  const locks = answering({ kind: 'LockPCRs' });
  await locks.nsm.lockPcrs(17);
  t.same(parseNsmRequest(locks.requests[0]!), { kind: 'LockPCRs', range: 17 });

  const attest = answering({ kind: 'Attestation', document: Buffer.from('document') });
  t.same(await attest.nsm.attest({ nonce: Buffer.from('n') }), Buffer.from('document'));
});

t.test('zeroes the answer once random bytes have been copied out of it', async (t) => {
  const { nsm, bytes } = answering({ kind: 'GetRandom', random: Buffer.alloc(32, 9) });
  const random = await nsm.random();
  t.ok(bytes.every((byte) => byte === 0));
  t.same(random, Buffer.alloc(32, 9));
});

const REFUSALS: readonly [NsmDeviceError, NsmError['code']][] = [
  ['InvalidArgument', 'NSM_INVALID_ARGUMENT'],
  ['InvalidIndex', 'NSM_INVALID_INDEX'],
  ['InvalidResponse', 'NSM_INVALID_RESPONSE'],
  ['ReadOnlyIndex', 'NSM_READ_ONLY_INDEX'],
  ['InvalidOperation', 'NSM_INVALID_OPERATION'],
  ['BufferTooSmall', 'NSM_BUFFER_TOO_SMALL'],
  ['InputTooLarge', 'NSM_INPUT_TOO_LARGE'],
  ['InternalError', 'NSM_INTERNAL_ERROR'],
];

for (const [error, code] of REFUSALS) {
  t.test(`reports the refusal ${error} (${code})`, async () => {
    const { nsm } = answering({ kind: 'Error', error });
    await rejectsCode(() => nsm.lockPcr(pcr16), NsmError, code);
  });
}

t.test('rejects the answer to another request (NSM_RESPONSE_INVALID)', async () => {
  const { nsm } = answering({ kind: 'LockPCRs' });
  await rejectsCode(() => nsm.lockPcr(pcr16), NsmError, 'NSM_RESPONSE_INVALID');
});

t.test('rejects a malformed answer, and zeroes it (NSM_RESPONSE_INVALID)', async (t) => {
  const { nsm, bytes } = answering(writeCbor({ GetRandom: { random: Buffer.alloc(300, 1) } }));
  await rejectsCode(() => nsm.random(), NsmError, 'NSM_RESPONSE_INVALID');
  t.ok(bytes.every((byte) => byte === 0));
});

t.test('asks nothing when the request is out of range (NSM_REQUEST_INVALID)', async (t) => {
  const { nsm, requests } = answering({ kind: 'Attestation', document: Buffer.from('document') });
  await rejectsCode(() => nsm.attest({ nonce: Buffer.alloc(1025) }), NsmError, 'NSM_REQUEST_INVALID');
  t.equal(requests.length, 0);
});
