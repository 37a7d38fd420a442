import t from 'tap';
import { NsmError } from '../../../attestation/errors.ts';
import type { NsmResponse } from '../../../attestation/nsm/response.ts';
import { encodeNsmResponse, parseNsmResponse } from '../../../attestation/nsm/response.ts';
import { writeCbor } from '../../../encoding/cbor/writer.ts';
import { toPcrIndex } from '../../../wire/brands.ts';
import { throwsCode } from '../../support/coded-error.ts';

const value = Buffer.alloc(48, 5);
const description = {
  versionMajor: 1,
  versionMinor: 0,
  versionPatch: 0,
  moduleId: 'i-0123-enc0123',
  maxPcrs: 32,
  lockedPcrs: [0, 1, 31].map(toPcrIndex),
  digest: 'SHA384',
};

const ROUND_TRIPS: readonly NsmResponse[] = [
  { kind: 'DescribeNSM', description },
  { kind: 'DescribePCR', pcr: { locked: true, value } },
  { kind: 'ExtendPCR', value },
  { kind: 'LockPCR' },
  { kind: 'LockPCRs' },
  { kind: 'Attestation', document: Buffer.from('document') },
  { kind: 'GetRandom', random: Buffer.alloc(256, 3) },
  { kind: 'Error', error: 'ReadOnlyIndex' },
];

for (const response of ROUND_TRIPS) {
  t.test(`reads back the answer ${response.kind}`, (t) => {
    t.same(parseNsmResponse(encodeNsmResponse(response)), response);
    t.end();
  });
}

t.test('writes answers without content as bare text', (t) => {
  t.equal(encodeNsmResponse({ kind: 'LockPCR' }).toString('hex'), '674c6f636b504352');
  t.equal(encodeNsmResponse({ kind: 'LockPCRs' }).toString('hex'), '684c6f636b50435273');
  t.end();
});

const wire = {
  version_major: 1,
  version_minor: 0,
  version_patch: 0,
  module_id: 'i-0123-enc0123',
  max_pcrs: 32,
  locked_pcrs: [0],
  digest: 'SHA384',
};
const { digest: _, ...withoutDigest } = wire;

const REFUSED: readonly [why: string, bytes: Buffer][] = [
  ['nothing', Buffer.alloc(0)],
  ['an unknown text', writeCbor('DescribeNSM')],
  ['an unknown answer', writeCbor({ Reset: {} })],
  ['two answers in one', writeCbor({ ExtendPCR: { data: value }, Error: 'InternalError' })],
  ['an unknown refusal', writeCbor({ Error: 'Unheard' })],
  ['a refusal called Success', writeCbor({ Error: 'Success' })],
  ['a PCR of 47 bytes', writeCbor({ ExtendPCR: { data: value.subarray(1) } })],
  ['a PCR of 32 bytes', writeCbor({ DescribePCR: { lock: true, data: value.subarray(16) } })],
  ['a lock that is no boolean', writeCbor({ DescribePCR: { lock: 1, data: value } })],
  ['a missing key', writeCbor({ DescribePCR: { data: value } })],
  ['an unknown key', writeCbor({ ExtendPCR: { data: value, more: null } })],
  ['an empty document', writeCbor({ Attestation: { document: Buffer.alloc(0) } })],
  ['no random bytes', writeCbor({ GetRandom: { random: Buffer.alloc(0) } })],
  ['257 random bytes', writeCbor({ GetRandom: { random: Buffer.alloc(257) } })],
  ['an empty module id', writeCbor({ DescribeNSM: { ...wire, module_id: '' } })],
  ['a version beyond 16 bits', writeCbor({ DescribeNSM: { ...wire, version_major: 65536 } })],
  ['a locked PCR 32', writeCbor({ DescribeNSM: { ...wire, locked_pcrs: [32] } })],
  ['a PCR that is locked twice', writeCbor({ DescribeNSM: { ...wire, locked_pcrs: [3, 3] } })],
  ['a description without its digest', writeCbor({ DescribeNSM: withoutDigest })],
  ['trailing bytes', Buffer.concat([writeCbor('LockPCR'), Buffer.from([0])])],
  ['more than 12288 bytes', writeCbor({ Attestation: { document: Buffer.alloc(12289) } })],
];

for (const [why, bytes] of REFUSED) {
  t.test(`rejects ${why} (NSM_RESPONSE_INVALID)`, (t) => {
    throwsCode(() => parseNsmResponse(bytes), NsmError, 'NSM_RESPONSE_INVALID');
    t.end();
  });
}
