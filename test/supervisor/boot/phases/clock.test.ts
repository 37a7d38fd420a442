import t, { type Test as TapTest } from 'tap';
import { BootTable, boot } from '../../../../supervisor/boot/phase.ts';
import { clockPhase } from '../../../../supervisor/boot/phases/clock.ts';
import type { NsmReady } from '../../../../supervisor/boot/phases/nsm.ts';
import { SupervisorError } from '../../../../supervisor/errors.ts';
import type { Platform } from '../../../../supervisor/platform.ts';
import { nsmFixture } from '../../../emulator/support/nsm-fixture.ts';
import { rejectsCode } from '../../../support/coded-error.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import type { MemoryLogger } from '../../../support/memory-logger.ts';
import { phaseContext } from '../../support/phase-context.ts';

const table = BootTable.empty<NsmReady>().phase(clockPhase);
const NSM_MS = Date.UTC(2026, 10, 20, 12, 0, 0);
const DAY_MS = 24 * 3600 * 1000;

interface Times {
  /** Of the security module. */
  readonly nsmMs?: number;
  /** Of the hypervisor's clock device, where there is one. */
  readonly deviceMs?: number;
  /** What the process thought before, as the host may have set it. */
  readonly processMs?: number;
}

async function surroundings(t: TapTest, { nsmMs = NSM_MS, deviceMs, processMs = 0 }: Times) {
  const { provider: nsm } = await nsmFixture(t, { clock: new FakeClock(nsmMs) });
  const set: number[] = [];
  const platform: Partial<Platform> = {
    hypervisorTimeMs: () => deviceMs,
    setWallClock: async (timeMs) => void set.push(timeMs),
  };
  const context = phaseContext('clock', new FakeClock(processMs), platform);
  return { set, logger: context.logger, run: () => boot(table, { nsm }, context, new AbortController().signal) };
}

const sourceOf = (logger: MemoryLogger) => logger.records.find(({ event }) => event === 'clock.set')?.fields['source'];

t.test('sets the time of the hypervisor’s clock device where there is one', async (t) => {
  const { set, run, logger } = await surroundings(t, { deviceMs: NSM_MS + 1234 });
  await run();
  t.same(set, [NSM_MS + 1234]);
  t.equal(sourceOf(logger), 'ptp');
});

t.test('falls back to the timestamp of the security module', async (t) => {
  const { set, run, logger } = await surroundings(t, {});
  await run();
  t.same(set, [NSM_MS]);
  t.equal(sourceOf(logger), 'nsm');
});

t.test('sets the same time whatever the process thought before, and says how far off it was', async (t) => {
  for (const deviceMs of [undefined, NSM_MS + 7]) {
    for (const processMs of [0, NSM_MS - DAY_MS, NSM_MS, NSM_MS + DAY_MS, Date.UTC(2100, 0, 1)]) {
      const { set, run } = await surroundings(t, { processMs, ...(deviceMs === undefined ? {} : { deviceMs }) });
      const { clockOffsetMs } = await run();
      t.same(set, [deviceMs ?? NSM_MS]);
      t.equal(clockOffsetMs, (deviceMs ?? NSM_MS) - processMs);
    }
  }
});

const REFUSED: readonly (readonly [string, Times])[] = [
  ['a security module of before this was written', { nsmMs: Date.UTC(2026, 0, 1) - 1 }],
  ['a security module at the epoch', { nsmMs: 1 }],
  ['a clock device at the epoch', { deviceMs: 0 }],
  ['a clock device and a security module that are both too old', { nsmMs: 5000, deviceMs: 5000 }],
  ['a clock device that is a day behind the security module', { deviceMs: NSM_MS - DAY_MS }],
  ['a clock device that is a day ahead of the security module', { deviceMs: NSM_MS + DAY_MS }],
  ['a clock device that is 5001 ms ahead', { deviceMs: NSM_MS + 5001 }],
  ['a clock device that is 5001 ms behind', { deviceMs: NSM_MS - 5001 }],
];

for (const [what, times] of REFUSED) {
  t.test(`rejects ${what} (BOOT_CLOCK_UNTRUSTED)`, async (t) => {
    // The process agrees with the module, or with the device: neither helps.
    for (const processMs of [times.nsmMs ?? NSM_MS, times.deviceMs || NSM_MS]) {
      const { set, run } = await surroundings(t, { ...times, processMs });
      await rejectsCode(run, SupervisorError, 'BOOT_CLOCK_UNTRUSTED');
      t.same(set, [], 'the wall clock is left alone');
    }
  });
}

t.test('keeps to the clock device up to 5 s away from the security module', async (t) => {
  for (const apartMs of [-5000, 5000]) {
    const { set, run } = await surroundings(t, { deviceMs: NSM_MS + apartMs });
    await run();
    t.same(set, [NSM_MS + apartMs]);
  }
});
