import t, { type Test } from 'tap';
import { NsmError } from '../../../attestation/errors.ts';
import { ClockKeeper, MAX_UNREAD } from '../../../supervisor/clock/clock-keeper.ts';
import { SupervisorError } from '../../../supervisor/errors.ts';
import { nsmFixture } from '../../emulator/support/nsm-fixture.ts';
import { throwsCode } from '../../support/coded-error.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { MemoryLogger } from '../../support/memory-logger.ts';

const CHECK_MS = 60_000;
const MAX_JUMP_MS = 30_000;

/** A hypervisor whose clock runs beside the enclave's; each may be moved alone. @param hasDevice or only documents tell its time */
async function keeping(t: Test, hasDevice = true) {
  const clock = new FakeClock();
  const hypervisor = new FakeClock();
  const { provider } = await nsmFixture(t, { clock: hypervisor });
  const fault: { error?: Error } = {};
  const set: number[] = [];
  const platform = {
    hypervisorTimeMs: () => {
      if (fault.error !== undefined) throw fault.error;
      return hasDevice ? hypervisor.nowMs() : undefined;
    },
    setWallClock: async (timeMs: number) => {
      set.push(timeMs);
      clock.stepWall(timeMs - clock.nowMs());
    },
  };
  const logger = new MemoryLogger();
  const failures: unknown[] = [];
  const onFailure = (error: unknown) => failures.push(error);
  const deps = { platform, nsm: provider, clock, logger, checkMs: CHECK_MS, maxJumpMs: MAX_JUMP_MS, onFailure };
  const keeper = new ClockKeeper(deps);
  await keeper.start(new AbortController().signal);
  t.teardown(() => keeper.stop());
  const check = async () => {
    await clock.untilSleeping();
    hypervisor.advance(CHECK_MS);
    clock.advance(CHECK_MS);
    await clock.untilSleeping();
  };
  const sampleOf = (name: string, outcome?: string) =>
    keeper.samples.find((each) => each.name === name && each.labels['outcome'] === outcome)?.value;
  const told = (event: string) => logger.records.filter((record) => record.event === event);
  return { check, clock, failures, fault, hypervisor, keeper, sampleOf, set, told };
}

for (const [source, hasDevice, keptMs, correctedMs] of [
  ['the clock device', true, 100, 101],
  ['documents', false, 2_000, 2_001],
] as const) {
  t.test(`leaves alone what ${source} cannot tell, and corrects what it can, both ways`, async (t) => {
    const { check, clock, hypervisor, keeper, sampleOf, set, told } = await keeping(t, hasDevice);
    for (const sign of [1, -1]) {
      hypervisor.stepWall(sign * keptMs);
      await check();
      t.same(set.splice(0), [], 'not set');
      t.equal(sampleOf('clock_drift_seconds'), (sign * keptMs) / 1000);
      hypervisor.stepWall(sign * (correctedMs - keptMs));
      await check();
      t.same(set.splice(0), [hypervisor.nowMs()]);
      t.equal(clock.nowMs(), hypervisor.nowMs());
      t.equal(sampleOf('clock_drift_seconds'), (sign * correctedMs) / 1000, 'as it was before');
      t.doesNotThrow(() => keeper.require());
    }
    t.equal(told('clock.compared').length, 1, 'the first is told');
    t.same([sampleOf('clock_checks_total', 'kept'), sampleOf('clock_checks_total', 'corrected')], [2, 2]);
  });
}

t.test('corrects up to the bound, and refuses what is beyond it, both ways (CLOCK_JUMPED)', async (t) => {
  for (const sign of [1, -1]) {
    const { check, clock, hypervisor, keeper, sampleOf, set, told } = await keeping(t);
    hypervisor.stepWall(sign * MAX_JUMP_MS);
    await check();
    t.equal(clock.nowMs(), hypervisor.nowMs());
    hypervisor.stepWall(sign * (MAX_JUMP_MS + 1));
    const before = clock.nowMs();
    for (const _ of [1, 2, 3]) await check();
    t.equal(clock.nowMs(), before + 3 * CHECK_MS, 'the enclave keeps its own time');
    t.equal(set.length, 1);
    throwsCode(() => keeper.require(), SupervisorError, 'CLOCK_JUMPED');
    t.match(told('clock.jumped'), [{ level: 'error', fields: { code: 'CLOCK_JUMPED' } }], 'told once');
    t.equal(sampleOf('clock_checks_total', 'refused'), 3);
  }
});

t.test('is content again when the hypervisor’s clock has come back', async (t) => {
  const { check, hypervisor, keeper, told } = await keeping(t);
  hypervisor.stepWall(3_600_000);
  await check();
  hypervisor.stepWall(-3_600_000);
  await check();
  t.doesNotThrow(() => keeper.require());
  t.equal(told('clock.kept-again').length, 1);
  hypervisor.stepWall(3_600_000);
  await check();
  t.equal(told('clock.jumped').length, 2, 'another jump is another alarm');
});

t.test(`says so when ${MAX_UNREAD} checks in a row had no time, and goes on asking (CLOCK_UNREAD)`, async (t) => {
  const { check, failures, fault, keeper, sampleOf, told } = await keeping(t);
  fault.error = new NsmError('NSM_DEVICE_IOCTL', 'no');
  for (let count = 1; count < MAX_UNREAD; count += 1) {
    await check();
    t.doesNotThrow(() => keeper.require());
  }
  await check();
  throwsCode(() => keeper.require(), SupervisorError, 'CLOCK_UNREAD');
  t.match(told('clock.unread'), [{ level: 'warn', fields: { code: 'NSM_DEVICE_IOCTL' } }], 'told once');
  t.equal(sampleOf('clock_checks_total', 'failed'), MAX_UNREAD);
  delete fault.error;
  await check();
  t.doesNotThrow(() => keeper.require());
  t.same(failures, []);
});

t.test('takes the time that a document needs for no drift', async (t) => {
  const clock = new FakeClock();
  const { provider } = await nsmFixture(t, { clock });
  const attest = async () => {
    clock.advance(1_500);
    const document = await provider.attest({});
    clock.advance(1_500);
    return document;
  };
  const platform = { hypervisorTimeMs: () => undefined, setWallClock: async () => undefined };
  const logger = new MemoryLogger();
  const deps = { platform, nsm: { attest }, clock, logger, checkMs: 1, maxJumpMs: 1, onFailure: () => undefined };
  const keeper = new ClockKeeper(deps);
  await keeper.start(new AbortController().signal);
  await clock.untilSleeping();
  clock.advance(1);
  await clock.untilSleeping();
  await keeper.stop();
  t.match(keeper.samples, [{ name: 'clock_drift_seconds', value: 0 }]);
});

t.test('leaves no timer when it stops', async (t) => {
  const { clock, keeper } = await keeping(t);
  await clock.untilSleeping();
  await keeper.stop();
  t.equal(clock.sleeping, 0);
});
