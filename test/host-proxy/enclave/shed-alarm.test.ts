/** Whoever watches the parent hears that connections are shed: when it begins, while it lasts, when it is over. */

import t from 'tap';
import { SHEDDING_OVER_MS, ShedAlarm } from '../../../host-proxy/enclave/shed-alarm.ts';
import { RecordingLogger } from '../../relay/support/relay.ts';
import { FakeClock } from '../../support/fake-clock.ts';

function scene() {
  const clock = new FakeClock();
  const logger = new RecordingLogger();
  let counters: Record<string, { shed: number; shedSilent: number }> = {};
  let changes = 0;
  const alarm = new ShedAlarm({
    counters: () => counters,
    clock,
    logger,
    onChange: () => {
      changes += 1;
    },
  });
  /** A second later the relay's counters say so. */
  const look = (shed: number, shedSilent: number) => {
    clock.advance(1000);
    counters = { ingress: { shed, shedSilent } };
    alarm.look();
  };
  const close = () => {
    counters = {};
    alarm.look();
  };
  return { alarm, clock, logger, look, close, changes: () => changes };
}

t.test('is silent while nothing is shed', async (t) => {
  const { alarm, look, logger, changes } = scene();
  look(0, 0);
  look(0, 0);
  t.same(alarm.status, { active: false, sinceMs: null, total: 0 });
  t.same([logger.records.length, changes()], [0, 0]);
});

for (const [what, shed, shedSilent] of [
  ['refuses new connections', 3, 0],
  ['closes silent ones', 0, 3],
] as const) {
  t.test(`begins when the relay ${what}, and says so once`, async (t) => {
    const { alarm, clock, look, logger, changes } = scene();
    look(shed, shedSilent);
    const sinceMs = clock.nowMs();
    look(shed * 2, shedSilent * 2);
    t.same(alarm.status, { active: true, sinceMs, total: 6 });
    t.match(logger.records, [{ level: 'warn', event: 'ingress.shedding', fields: { stage: 'began', shed: 3 } }]);
    t.equal(changes(), 1);
  });
}

t.test('is over after ten seconds without, tells how many and how long, and begins anew', async (t) => {
  const { alarm, look, logger, changes } = scene();
  look(1, 0);
  look(1, 4);
  for (let second = 0; second < SHEDDING_OVER_MS / 1000 - 1; second++) look(1, 4);
  t.equal(alarm.status.active, true);
  look(1, 4);
  t.same(alarm.status, { active: false, sinceMs: null, total: 5 });
  t.match(logger.records[1], {
    level: 'info',
    event: 'ingress.shedding',
    fields: { stage: 'over', shed: 5, durationMs: 1000 },
  });
  look(1, 5);
  t.match(alarm.status, { active: true, total: 6 });
  t.match(logger.records[2], { fields: { stage: 'began', shed: 1 } });
  t.equal(changes(), 3);
});

t.test('counts on when the public port closes and opens again, which sets the relay’s counters back', async (t) => {
  const { alarm, look, close } = scene();
  look(10, 0);
  close();
  look(2, 0);
  t.equal(alarm.status.total, 12);
});

t.test('is not confused by a wall clock that is set back', async (t) => {
  const { alarm, clock, look } = scene();
  look(1, 0);
  clock.stepWall(-3_600_000);
  for (let second = 0; second < SHEDDING_OVER_MS / 1000; second++) look(1, 0);
  t.equal(alarm.status.active, false);
});
