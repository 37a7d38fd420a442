/** What needs somebody now, as the status page tells it. */
import t from 'tap';
import { AlarmBoard } from '../../../../host-proxy/operator/alarms/alarm-board.ts';
import type { Condition, Watch } from '../../../../host-proxy/operator/alarms/watch.ts';
import { WATCHES } from '../../../../host-proxy/operator/alarms/watches.ts';
import type { MetricSample } from '../../../../wire/metrics.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const MINUTE_MS = 60_000;

const told = (name: string, value: number, labels: MetricSample['labels'] = {}): MetricSample => ({
  name,
  labels,
  value,
});

const watch = (condition: Condition, forMs = 0): Watch => ({
  alert: 'AcraEnclaveTried',
  severity: 'page',
  runbook: 'tried',
  summary: 'it is so',
  description: 'look',
  condition,
  forMs,
});

function board(...watches: readonly Watch[]) {
  const clock = new FakeClock();
  const alarms = new AlarmBoard(watches, clock);
  const look = (afterMs: number, ...samples: readonly MetricSample[]) => {
    clock.advance(afterMs);
    alarms.look(samples);
    return alarms.active;
  };
  return { clock, look };
}

t.test('tells what has held without a pause for its time, since when it holds', async (t) => {
  const { clock, look } = board(watch({ kind: 'below', metric: 'ready', value: 1 }, 5 * MINUTE_MS));
  const beganMs = clock.nowMs() + 1_000;
  t.same(look(1_000, told('ready', 0)), []);
  t.same(look(4 * MINUTE_MS, told('ready', 0)), []);
  t.match(look(MINUTE_MS, told('ready', 0)), [{ alert: 'AcraEnclaveTried', sinceMs: beganMs, detail: '' }]);
  t.same(look(1_000, told('ready', 1)), [], 'over');
  t.same(look(1_000, told('ready', 0)), [], 'begins anew');
});

t.test('is not misled by a wall clock that is set', async (t) => {
  const { clock, look } = board(watch({ kind: 'below', metric: 'ready', value: 1 }, 5 * MINUTE_MS));
  look(1_000, told('ready', 0));
  clock.stepWall(24 * 60 * MINUTE_MS);
  t.same(look(1_000, told('ready', 0)), []);
});

t.test('tells each series with its labels, and the runbook of its code', async (t) => {
  const of = watch({
    kind: 'above',
    metric: 'reason',
    labels: { code: ['KMS_UNAVAILABLE', 'CLOCK_UNREAD'] },
    value: 0,
  });
  const { look } = board({ ...of, runbook: { label: 'code' } });
  t.match(look(1_000, told('reason', 1, { code: 'CLOCK_UNREAD' }), told('reason', 1, { code: 'OTHER' })), [
    { labels: { code: 'CLOCK_UNREAD' }, runbook: 'CLOCK_UNREAD' },
  ]);
});

t.test(
  'tells what grew for as long as that is within its time, and not what stood there from the beginning',
  async (t) => {
    const { look } = board(
      watch({
        kind: 'grew',
        metric: 'alarms_total',
        labels: { concern: 'poison' },
        by: ['concern'],
        value: 0,
        withinMs: 10 * MINUTE_MS,
      }),
    );
    const poison = (value: number, child: string) => told('alarms_total', value, { child, concern: 'poison' });
    t.same(look(1_000, poison(7, 'a'), poison(0, 'b')), []);
    t.match(look(1_000, poison(8, 'a'), poison(2, 'b')), [
      { labels: { concern: 'poison' }, detail: 'grew by 3 within 10 min' },
    ]);
    t.match(look(9 * MINUTE_MS), [{ detail: 'grew by 3 within 10 min' }], 'also when the enclave is gone');
    t.same(look(2 * MINUTE_MS), []);
    t.match(
      look(1_000, poison(1, 'a')),
      [{ detail: 'grew by 1 within 10 min' }],
      'a counter that went back began at 0',
    );
  },
);

t.test('tells what a new program of an enclave that is heard counted before it was first told of', async (t) => {
  const { look } = board(
    watch({ kind: 'grew', metric: 'alarms_total', by: ['concern'], value: 0, withinMs: 10 * MINUTE_MS }),
  );
  const uptime = told('supervisor_uptime_seconds', 1);
  const poison = (child: string) => told('alarms_total', 1, { child, concern: 'poison' });
  t.same(look(1_000, uptime, poison('acra-1')), [], 'nobody knows when that was');
  t.match(look(1_000, uptime, poison('acra-1'), poison('acra-2')), [
    { labels: { concern: 'poison' }, detail: 'grew by 1 within 10 min' },
  ]);
  t.match(look(1_000), [{ detail: 'grew by 1 within 10 min' }], 'it is silent');
  t.match(
    look(1_000, uptime, poison('acra-1'), poison('acra-3')),
    [{ detail: 'grew by 1 within 10 min' }],
    'since when, nobody knows',
  );
});

t.test('compares a series with its counterpart', async (t) => {
  const { look } = board(
    watch({
      kind: 'exceeds',
      metric: 'g',
      labels: { of: 'last' },
      factor: 1,
      other: { metric: 'g', labels: { of: 'newest' } },
    }),
  );
  t.same(look(1_000, told('g', 7, { of: 'last' }), told('g', 7, { of: 'newest' })), []);
  t.match(look(1_000, told('g', 7, { of: 'last' }), told('g', 6, { of: 'newest' })), [{ detail: 'now 7' }]);
  t.same(look(1_000, told('g', 7, { of: 'last' })), [], 'nothing to compare with');
});

t.test('tells what ends soon', async (t) => {
  const { clock, look } = board(watch({ kind: 'ends-within', metric: 'expiry', withinMs: MINUTE_MS }));
  const end = (clock.nowMs() + 2 * MINUTE_MS) / 1_000;
  t.same(look(1_000, told('expiry', end)), []);
  t.equal(look(MINUTE_MS, told('expiry', end)).length, 1);
});

t.test('tells of many series of one alarm the first twenty', async (t) => {
  const { look } = board(watch({ kind: 'below', metric: 'child_healthy', value: 1 }));
  const children = Array.from({ length: 500 }, (_each, index) => told('child_healthy', 0, { child: `acra-${index}` }));
  t.equal(look(1_000, ...children).length, 20);
});

t.test('watches everything under a name of its own, what pages first', async (t) => {
  t.equal(new Set(WATCHES.map(({ alert }) => alert)).size, WATCHES.length);
  const severities = WATCHES.map(({ severity }) => severity);
  t.same(severities, severities.toSorted());
});
