import { X509Certificate } from 'node:crypto';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { authenticateAttestationDocument } from '../../../attestation/document/authenticate.ts';
import { AttestationError } from '../../../attestation/errors.ts';
import { EmulatorError } from '../../../emulator/errors.ts';
import { loadOrCreateNsmRoot } from '../../../emulator/nsm/root.ts';
import { toPcrIndex } from '../../../wire/brands.ts';
import { rejectsCode, throwsCode } from '../../support/coded-error.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { MODULE_ID, nsmFixture } from '../support/nsm-fixture.ts';

const HOUR_MS = 3_600_000;

t.test('signs documents that verify under its root and carry what was asked for', async (t) => {
  const clock = new FakeClock();
  const { root, pcrs, attest } = await nsmFixture(t, { clock });
  const request = { userData: Buffer.from('user'), nonce: Buffer.from('nonce'), publicKey: Buffer.from('key') };
  const document = authenticateAttestationDocument(await attest(request), {
    rootDer: root.rootDer,
    nowMs: clock.nowMs(),
  });
  t.match(document, { moduleId: MODULE_ID, timestampMs: clock.nowMs(), ...request });
  t.same([...document.pcrs.keys()], [...Array(16).keys()], 'PCR0-15, zeros included');
  t.same(document.pcrs.get(toPcrIndex(0)), pcrs.get(toPcrIndex(0)));
  t.same(document.pcrs.get(toPcrIndex(15)), Buffer.alloc(48));
});

t.test("measures the parent instance into PCR3 and PCR4 as AWS's user guide prints them", async (t) => {
  const parent = { roleArn: 'arn:aws:iam::123456789012:role/Webserver', instanceId: 'i-1234567890abcdef0' };
  const { provider } = await nsmFixture(t, { clock: new FakeClock(), parent });
  const register = async (index: number) => (await provider.describePcr(toPcrIndex(index))).value.toString('hex');
  t.equal(
    await register(3),
    '78fce75db17cd4e0a3fb8dad3ad128ca5e77edbb2b2c7f75329dccd99aa5f6ef4fc1f1a452e315b9e98f9e312e6921e6',
  );
  t.equal(
    await register(4),
    '08f996b5d43e047a9eb51e7f548bfee7e164fd7dc8f65541f2ac09d6545ac812719327281c401a67a10fcba87ae79ce0',
  );
});

t.test('carries all 32 PCRs once they are locked', async (t) => {
  const clock = new FakeClock();
  const { root, provider } = await nsmFixture(t, { clock });
  const value = await provider.extendPcr(toPcrIndex(16), Buffer.from('configuration'));
  await provider.lockPcrs(32);
  const document = authenticateAttestationDocument(await provider.attest({}), {
    rootDer: root.rootDer,
    nowMs: clock.nowMs(),
  });
  t.equal(document.pcrs.size, 32);
  t.same(document.pcrs.get(toPcrIndex(16)), value);
  t.match(document, { userData: undefined, nonce: undefined, publicKey: undefined });
});

t.test('its chain has the lifetimes of the real one', async (t) => {
  const clock = new FakeClock();
  const { root, attest } = await nsmFixture(t, { clock });
  const document = authenticateAttestationDocument(await attest({}), { rootDer: root.rootDer, nowMs: clock.nowMs() });
  const chain = [...document.cabundle, document.certificate].map((der) => new X509Certificate(der));
  const hours = chain.map(({ validFrom, validTo }) => (Date.parse(validTo) - Date.parse(validFrom)) / HOUR_MS);
  t.same(document.cabundle[0], root.rootDer);
  t.same(hours.slice(1), [20 * 24, 6 * 24, 24, 3]);
  t.same(
    chain.map(({ ca }) => ca),
    [true, true, true, true, false],
  );
});

t.test('renews the chain before the leaf expires, so that a document lives for half an hour at least', async (t) => {
  const clock = new FakeClock();
  const { root, attest } = await nsmFixture(t, { clock });
  for (let quarterHours = 0; quarterHours < 16; quarterHours++) {
    const document = await attest({});
    authenticateAttestationDocument(document, { rootDer: root.rootDer, nowMs: clock.nowMs() + HOUR_MS / 2 - 1000 });
    clock.advance(HOUR_MS / 4);
  }
  t.pass('sixteen documents over four hours');
});

t.test('rejects a document after three hours (ATTESTATION_CERTIFICATE_EXPIRED)', async (t) => {
  const clock = new FakeClock();
  const { root, attest } = await nsmFixture(t, { clock });
  const document = await attest({});
  const trust = { rootDer: root.rootDer, nowMs: clock.nowMs() + 3 * HOUR_MS + 1000 };
  throwsCode(
    () => authenticateAttestationDocument(document, trust),
    AttestationError,
    'ATTESTATION_CERTIFICATE_EXPIRED',
  );
});

t.test('rejects a document of another emulator root (ATTESTATION_ROOT_MISMATCH)', async (t) => {
  const clock = new FakeClock();
  const { attest } = await nsmFixture(t, { clock });
  const other = await loadOrCreateNsmRoot(temporaryFolder(t));
  const document = await attest({});
  const trust = { rootDer: other.rootDer, nowMs: clock.nowMs() };
  throwsCode(() => authenticateAttestationDocument(document, trust), AttestationError, 'ATTESTATION_ROOT_MISMATCH');
});

t.test('keeps its root on disk, for its owner alone', async (t) => {
  const folder = temporaryFolder(t);
  const [one, two] = await Promise.all([loadOrCreateNsmRoot(folder), loadOrCreateNsmRoot(folder)]);
  const three = await loadOrCreateNsmRoot(folder);
  t.same(one.rootDer, two.rootDer, 'two that start together get the same');
  t.same(one.rootDer, three.rootDer);
  t.same(readdirSync(folder), ['nsm-root.pem'], 'no temporary files are left');
  t.equal(statSync(join(folder, 'nsm-root.pem')).mode & 0o777, 0o600);
});

t.test('rejects a root file that is damaged (EMULATOR_STATE)', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'nsm-root.pem'), 'nonsense');
  await rejectsCode(() => loadOrCreateNsmRoot(folder), EmulatorError, 'EMULATOR_STATE');
});
