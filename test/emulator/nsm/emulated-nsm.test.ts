import t from 'tap';
import { NsmError } from '../../../attestation/errors.ts';
import { extendPcrValue } from '../../../attestation/pcr.ts';
import { EmulatorError } from '../../../emulator/errors.ts';
import { EmulatedNsm } from '../../../emulator/nsm/emulated-nsm.ts';
import { loadOrCreateNsmRoot } from '../../../emulator/nsm/root.ts';
import { toPcrIndex } from '../../../wire/brands.ts';
import { rejectsCode, throwsCode } from '../../support/coded-error.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { MODULE_ID, nsmFixture } from '../support/nsm-fixture.ts';

/** {"Error": name} as CBOR, written by hand: map(1), text "Error", text name. */
function errorBytes(name: string): string {
  const text = (value: string) => Buffer.concat([Buffer.of(0x60 + value.length), Buffer.from(value)]);
  return Buffer.concat([Buffer.of(0xa1), text('Error'), text(name)]).toString('hex');
}

/** Requests of nitro-formats 3.5 with the index or range as their last byte(s). */
const REQUEST = {
  describePcr: (index: string) => `a16b4465736372696265504352a165696e646578${index}`,
  lockPcr: (index: string) => `a1674c6f636b504352a165696e646578${index}`,
  lockPcrs: (range: string) => `a1684c6f636b50435273a16572616e6765${range}`,
  extendPcr: (index: string) => `a169457874656e64504352a265696e646578${index}646461746143010203`,
} as const;

t.test('answers as the device does, byte for byte', async (t) => {
  const zeros = '00'.repeat(48);
  const table: readonly { name: string; requests: readonly string[]; answer: string }[] = [
    {
      name: 'PCR16 is zero and unlocked at boot',
      requests: [REQUEST.describePcr('10')],
      answer: `a16b4465736372696265504352a2646c6f636bf464646174615830${zeros}`,
    },
    {
      name: 'PCR15 is zero and locked at boot',
      requests: [REQUEST.describePcr('0f')],
      answer: `a16b4465736372696265504352a2646c6f636bf564646174615830${zeros}`,
    },
    { name: 'LockPCR of an unlocked PCR', requests: [REQUEST.lockPcr('10')], answer: '674c6f636b504352' },
    { name: 'LockPCRs of all', requests: [REQUEST.lockPcrs('1820')], answer: '684c6f636b50435273' },
    {
      name: 'LockPCRs again',
      requests: [REQUEST.lockPcrs('1820'), REQUEST.lockPcrs('1820')],
      answer: '684c6f636b50435273',
    },
    { name: 'LockPCRs beyond the last', requests: [REQUEST.lockPcrs('1821')], answer: errorBytes('InvalidIndex') },
    { name: 'LockPCR of a PCR locked at boot', requests: [REQUEST.lockPcr('00')], answer: errorBytes('ReadOnlyIndex') },
    {
      name: 'LockPCR twice',
      requests: [REQUEST.lockPcr('10'), REQUEST.lockPcr('10')],
      answer: errorBytes('ReadOnlyIndex'),
    },
    { name: 'LockPCR beyond the last', requests: [REQUEST.lockPcr('1820')], answer: errorBytes('InvalidIndex') },
    {
      name: 'DescribePCR beyond the last',
      requests: [REQUEST.describePcr('1820')],
      answer: errorBytes('InvalidIndex'),
    },
    {
      name: 'ExtendPCR of a PCR locked at boot',
      requests: [REQUEST.extendPcr('0f')],
      answer: errorBytes('ReadOnlyIndex'),
    },
    {
      name: 'ExtendPCR after LockPCR',
      requests: [REQUEST.lockPcr('181f'), REQUEST.extendPcr('181f')],
      answer: errorBytes('ReadOnlyIndex'),
    },
    {
      name: 'ExtendPCR after LockPCRs',
      requests: [REQUEST.lockPcrs('11'), REQUEST.extendPcr('10')],
      answer: errorBytes('ReadOnlyIndex'),
    },
    { name: 'ExtendPCR beyond the last', requests: [REQUEST.extendPcr('1820')], answer: errorBytes('InvalidIndex') },
    { name: 'an unknown request', requests: ['634f6f70'], answer: errorBytes('InvalidArgument') },
    { name: 'bytes that are no CBOR', requests: ['ff'], answer: errorBytes('InvalidArgument') },
    { name: 'an empty request', requests: [''], answer: errorBytes('InvalidArgument') },
  ];
  for (const { name, requests, answer } of table) {
    const { nsm } = await nsmFixture(t, { clock: new FakeClock() });
    let last: Buffer = Buffer.alloc(0);
    for (const request of requests) last = await nsm.exchange(Buffer.from(request, 'hex'));
    t.equal(last.toString('hex'), answer, name);
  }
});

t.test('locks a range without the PCR at its end', async (t) => {
  const { provider } = await nsmFixture(t, { clock: new FakeClock() });
  await provider.lockPcrs(17);
  t.equal((await provider.describePcr(toPcrIndex(16))).locked, true);
  t.equal((await provider.describePcr(toPcrIndex(17))).locked, false);
});

t.test('extends to SHA384(old ‖ data), again and again', async (t) => {
  const { provider } = await nsmFixture(t, { clock: new FakeClock() });
  const first = extendPcrValue(Buffer.alloc(48), Buffer.from('a'));
  const second = extendPcrValue(first, Buffer.from('b'));
  t.same(await provider.extendPcr(toPcrIndex(16), Buffer.from('a')), first);
  t.same(await provider.extendPcr(toPcrIndex(16), Buffer.from('b')), second);
  t.same(await provider.describePcr(toPcrIndex(16)), { locked: false, value: second });
  t.same((await provider.describePcr(toPcrIndex(17))).value, Buffer.alloc(48), 'its neighbour is left alone');
});

t.test('describes itself, with the locked PCRs as they are now', async (t) => {
  const { provider, pcrs } = await nsmFixture(t, { clock: new FakeClock() });
  await provider.lockPcr(toPcrIndex(20));
  const description = await provider.describe();
  t.match(description, { moduleId: MODULE_ID, maxPcrs: 32, digest: 'SHA384' });
  t.same(description.lockedPcrs, [...Array(16).keys(), 20]);
  t.same((await provider.describePcr(toPcrIndex(2))).value, pcrs.get(toPcrIndex(2)));
});

t.test('gives 256 random bytes, others each time', async (t) => {
  const { provider } = await nsmFixture(t, { clock: new FakeClock() });
  const [one, two] = [await provider.random(), await provider.random()];
  t.equal(one.length, 256);
  t.notSame(one, two);
});

t.test('rejects a request over 4096 bytes, as the driver does (NSM_REQUEST_TOO_LARGE)', async (t) => {
  const { nsm } = await nsmFixture(t, { clock: new FakeClock() });
  await rejectsCode(() => nsm.exchange(Buffer.alloc(4097)), NsmError, 'NSM_REQUEST_TOO_LARGE');
});

t.test('rejects use after close (NSM_CLOSED)', async (t) => {
  const { nsm } = await nsmFixture(t, { clock: new FakeClock() });
  await nsm.close();
  await rejectsCode(() => nsm.exchange(Buffer.from('DescribeNSM')), NsmError, 'NSM_CLOSED');
});

t.test('rejects an initial PCR of another length than 48 bytes (EMULATOR_NSM_PCR)', async (t) => {
  const root = await loadOrCreateNsmRoot(temporaryFolder(t));
  const pcrs = new Map([[toPcrIndex(0), Buffer.alloc(32)]]);
  const options = { root, moduleId: MODULE_ID, pcrs, clock: new FakeClock(), random: seededRandom('x') };
  throwsCode(() => new EmulatedNsm(options), EmulatorError, 'EMULATOR_NSM_PCR');
});
