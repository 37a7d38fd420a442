import t from 'tap';
import { BootTable, boot } from '../../../../supervisor/boot/phase.ts';
import { nsmPhase } from '../../../../supervisor/boot/phases/nsm.ts';
import type { BootStart } from '../../../../supervisor/boot/start.ts';
import type { ControlConnection } from '../../../../supervisor/control/connection.ts';
import { SupervisorError } from '../../../../supervisor/errors.ts';
import { nsmFixture } from '../../../emulator/support/nsm-fixture.ts';
import { rejectsCode } from '../../../support/coded-error.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { phaseContext } from '../../support/phase-context.ts';

type Needs = BootStart & { readonly control: ControlConnection };

async function surroundings(t: Parameters<typeof nsmFixture>[0], currentRng: string) {
  const clock = new FakeClock();
  const { provider } = await nsmFixture(t, { clock });
  const sent: { readonly type: string }[] = [];
  const platform = {
    openNsm: () => Promise.resolve(provider),
    requiredHardwareRng: 'nsm-hwrng',
    currentHardwareRng: () => Promise.resolve(currentRng),
  };
  const start = {
    folder: '/nowhere',
    acraProgram: { description: 'acra-server of a test' },
    control: { send: (message: { readonly type: string }) => void sent.push(message) },
  };
  const table = BootTable.empty<Needs>().phase(nsmPhase);
  const context = phaseContext('nsm', clock, platform);
  return { sent, run: () => boot(table, start, context, new AbortController().signal) };
}

for (const rng of ['', 'virtio_rng.0', 'tpm-rng-0', 'nsm-hwrng-of-somebody-else', 'NSM-HWRNG']) {
  t.test(`rejects a kernel that draws from "${rng}" (BOOT_RNG_NOT_NSM)`, async (t) => {
    const { run, sent } = await surroundings(t, rng);
    await rejectsCode(run, SupervisorError, 'BOOT_RNG_NOT_NSM');
    t.same(sent, []);
  });
}

t.test('tells the measurements where the kernel draws from the security module', async (t) => {
  const { run, sent } = await surroundings(t, 'nsm-hwrng');
  await run();
  t.match(sent, [{ type: 'measurements', pcrs: { PCR0: /^[0-9a-f]{96}$/, PCR8: /^[0-9a-f]{96}$/ } }]);
});
