import t from 'tap';
import { BootTimes } from '../../../supervisor/boot/boot-times.ts';
import { FakeClock } from '../../support/fake-clock.ts';

t.test('tells how long each phase took, also when the wall clock is set meanwhile', async (t) => {
  const clock = new FakeClock();
  const times = new BootTimes(clock);
  t.ok(times.follow({ state: 'booting', phase: 'nsm' }));
  clock.advance(30);
  t.ok(times.follow({ state: 'booting', phase: 'clock' }));
  clock.stepWall(3_600_000);
  clock.advance(5);
  t.notOk(times.follow({ state: 'booting', phase: 'clock' }), 'what it waits for is no other phase');
  t.same(times.phases, [
    { phase: 'nsm', durationMs: 30 },
    { phase: 'clock', durationMs: null },
  ]);
  t.ok(times.follow({ state: 'serving', phase: 'serve' }));
  clock.advance(60_000);
  t.notOk(times.follow({ state: 'degraded', phase: 'serve' }), 'the boot is over');
  t.same(times.phases.at(-1), { phase: 'clock', durationMs: 5 });
});

t.test('ends the phase in which the boot fails', async (t) => {
  const clock = new FakeClock();
  const times = new BootTimes(clock);
  times.follow({ state: 'booting', phase: 'master-key' });
  clock.advance(900);
  t.ok(times.follow({ state: 'failed', phase: 'master-key' }));
  t.same(times.phases, [{ phase: 'master-key', durationMs: 900 }]);
});
