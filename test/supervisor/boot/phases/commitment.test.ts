import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readStatedDocument } from '../../../../attestation/document/stated-document.ts';
import { AttestationError, NsmError } from '../../../../attestation/errors.ts';
import type { NsmProvider } from '../../../../attestation/nsm/provider.ts';
import { extendPcrValue } from '../../../../attestation/pcr.ts';
import { decodeStatement } from '../../../../attestation/runtime/statement.ts';
import { enclaveSchema } from '../../../../config/enclave.ts';
import { loadConfig } from '../../../../config/load.ts';
import { BootTable, boot } from '../../../../supervisor/boot/phase.ts';
import { commitmentPhase } from '../../../../supervisor/boot/phases/commitment.ts';
import { SupervisorError } from '../../../../supervisor/errors.ts';
import { toPcrIndex } from '../../../../wire/brands.ts';
import { writeMeasuredFolder } from '../../../eif/image/support/measured-folder.ts';
import { nsmFixture } from '../../../emulator/support/nsm-fixture.ts';
import { rejectsCode } from '../../../support/coded-error.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { phaseContext } from '../../support/phase-context.ts';

type Needs = Parameters<typeof commitmentPhase.run>[0];
const table = BootTable.empty<Needs>().phase(commitmentPhase);
const PCR16 = toPcrIndex(16);
const ALL = Array.from({ length: 32 }, (_, index) => index);

const folder = writeMeasuredFolder(join(temporaryFolder(t), 'enclave'));

/** @param lie what the module does otherwise than one should */
async function surroundings(t: Test, lie: (nsm: NsmProvider) => Partial<NsmProvider> = () => ({}), at = folder) {
  const { provider } = await nsmFixture(t, { clock: new FakeClock() });
  const sent: unknown[] = [];
  const start = {
    folder: at,
    config: loadConfig(enclaveSchema, join(at, 'enclave.yaml')),
    nsm: { ...provider, ...lie(provider) },
    control: { send: (message: unknown) => sent.push(message) },
    measurements: { PCR0: '00'.repeat(48) },
    acraProgram: { description: 'acra-server' },
  };
  const run = () => boot(table, start, phaseContext('commitment', new FakeClock()), new AbortController().signal);
  return { provider, sent, run };
}

t.test('extends PCR16 once by the commitment to what the folder says, and locks every register', async (t) => {
  const { provider, run } = await surroundings(t);
  const { stated } = await run();
  t.same(decodeStatement(stated.encoding), stated.statement);
  t.same((await provider.describePcr(PCR16)).value, extendPcrValue(Buffer.alloc(48), stated.commitment));
  t.same((await provider.describe()).lockedPcrs, ALL);
  for (const index of ALL.slice(16)) {
    const extend = () => provider.extendPcr(toPcrIndex(index), Buffer.from('more'));
    await rejectsCode(extend, NsmError, 'NSM_READ_ONLY_INDEX');
  }
});

t.test('shows the commitment in every document from then on', async (t) => {
  const { provider, run } = await surroundings(t);
  const { stated } = await run();
  const { pcrs } = readStatedDocument(await provider.attest({})).payload;
  t.same([...pcrs.keys()], ALL);
  t.same(pcrs.get(PCR16), stated.pcr16);
});

t.test('tells the parent PCR16 beside the measurements', async (t) => {
  const { sent, run } = await surroundings(t);
  const { stated } = await run();
  const pcrs = { PCR0: '00'.repeat(48), PCR16: stated.pcr16.toString('hex') };
  t.same(sent, [{ type: 'measurements', pcrs, acraServer: 'acra-server' }]);
});

t.test('commits to other values for another folder, and to the same at every boot of one', async (t) => {
  const other = join(temporaryFolder(t), 'enclave');
  cpSync(folder, other, { recursive: true });
  writeFileSync(join(other, 'keystore/client_hmac'), 'another');
  const values = await Promise.all(
    [folder, folder, other].map(async (at) => (await (await surroundings(t, undefined, at)).run()).stated.pcr16),
  );
  t.same(values[0], values[1]);
  t.notSame(values[0], values[2]);
});

t.test('locks one register after the other where a module refuses a range', async (t) => {
  const refuse = () => Promise.reject(new NsmError('NSM_INVALID_OPERATION', 'no ranges'));
  const { provider, run } = await surroundings(t, () => ({ lockPcrs: refuse }));
  await run();
  t.same((await provider.describe()).lockedPcrs, ALL);
});

t.test('rejects a register that was extended or locked before (BOOT_COMMITMENT_TAKEN)', async (t) => {
  const befores = [
    (nsm: NsmProvider) => nsm.extendPcr(PCR16, Buffer.from('before')),
    (nsm: NsmProvider) => nsm.lockPcr(PCR16),
  ];
  for (const before of befores) {
    const { provider, run, sent } = await surroundings(t);
    await before(provider);
    await rejectsCode(run, SupervisorError, 'BOOT_COMMITMENT_TAKEN');
    t.same(sent, []);
  }
});

t.test('rejects a second boot on the same module (BOOT_COMMITMENT_TAKEN)', async (t) => {
  const { run } = await surroundings(t);
  await run();
  await rejectsCode(run, SupervisorError, 'BOOT_COMMITMENT_TAKEN');
});

const LIES: Readonly<Record<string, (nsm: NsmProvider) => Partial<NsmProvider>>> = {
  'answers an extension with another value': () => ({ extendPcr: async () => Buffer.alloc(48, 1) }),
  'extends by something else': (nsm) => ({ extendPcr: (index) => nsm.extendPcr(index, Buffer.from('else')) }),
  'shows another value afterwards': (nsm) => {
    let asked = 0;
    const describePcr = async (index: Parameters<NsmProvider['describePcr']>[0]) => {
      const state = await nsm.describePcr(index);
      if (index === PCR16) asked += 1;
      return asked > 1 ? { ...state, value: Buffer.alloc(48, 1) } : state;
    };
    return { describePcr };
  },
  'locks nothing': () => ({ lockPcrs: async () => undefined }),
  'leaves the last register open': (nsm) => ({ lockPcrs: () => nsm.lockPcrs(31) }),
  'says of all registers that they are locked, and of each that it is not': (nsm) => ({
    lockPcrs: async () => undefined,
    describe: async () => ({ ...(await nsm.describe()), lockedPcrs: ALL.map(toPcrIndex) }),
  }),
  'says of each register that it is locked, and of all that they are not': (nsm) => ({
    describe: async () => ({ ...(await nsm.describe()), lockedPcrs: [] }),
  }),
  'has fewer registers': (nsm) => ({ describe: async () => ({ ...(await nsm.describe()), maxPcrs: 16 }) }),
};

for (const [what, lie] of Object.entries(LIES)) {
  t.test(`rejects a module that ${what} (BOOT_COMMITMENT_FAILED)`, async (t) => {
    const { run, sent } = await surroundings(t, lie);
    await rejectsCode(run, SupervisorError, 'BOOT_COMMITMENT_FAILED');
    t.same(sent, []);
  });
}

t.test('fails with the module’s own code where it refuses to extend or to lock', async (t) => {
  const refuse = () => Promise.reject(new NsmError('NSM_INTERNAL_ERROR', 'no'));
  for (const lie of [{ extendPcr: refuse }, { lockPcrs: refuse, lockPcr: refuse }]) {
    const { run } = await surroundings(t, () => lie);
    await rejectsCode(run, NsmError, 'NSM_INTERNAL_ERROR');
  }
});

t.test('commits to nothing where the folder cannot be hashed (ATTESTATION_FOLDER_UNREADABLE)', async (t) => {
  const broken = join(temporaryFolder(t), 'enclave');
  cpSync(folder, broken, { recursive: true });
  writeFileSync(join(broken, 'back\\slash'), '');
  const { provider, run } = await surroundings(t, undefined, broken);
  await rejectsCode(run, AttestationError, 'ATTESTATION_FOLDER_UNREADABLE');
  t.same((await provider.describePcr(PCR16)).value, Buffer.alloc(48));
});
