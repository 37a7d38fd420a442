/** The counters of all guards as metrics: they only grow, whatever becomes of a guard and whatever it says. */
import t from 'tap';
import { type GuardCounts, noCounts } from '../../../../sessions/guard/guard-counts.ts';
import { GuardTally } from '../../../../supervisor/workloads/sessions/guard-tally.ts';
import { declaredSamples, MAX_SERIES } from '../../../../wire/metrics.ts';

function counts(insert: number, judge = 0): GuardCounts {
  const own = noCounts();
  own.statements.protected.insert = insert;
  own.spentMs.judge = judge;
  return own;
}

function numberOf({ samples }: GuardTally, name: string, labels: object): number | undefined {
  const found = samples.find(
    (each) => each.name === name && Object.entries(labels).every(([key, value]) => each.labels[key] === value),
  );
  return found?.value;
}
const inserts = (tally: GuardTally) =>
  numberOf(tally, 'guard_statements_total', { statement: 'insert', verdict: 'protected' });

t.test('has every counter from the beginning, as the parent publishes them', async (t) => {
  const { samples } = new GuardTally();
  t.same(declaredSamples(samples), samples);
  t.ok(samples.every(({ value }) => value === 0));
  for (const [, series] of Map.groupBy(samples, ({ name }) => name)) t.ok(series.length <= MAX_SERIES);
});

t.test('adds up all guards, also those that have ended', async (t) => {
  const tally = new GuardTally();
  const [one, other] = [tally.teller(), tally.teller()];
  for (const each of [one, other]) each.launched();
  one.take(counts(3, 500));
  one.take(counts(5, 1_500));
  other.take(counts(10));
  t.equal(inserts(tally), 15);
  one.launched();
  t.equal(inserts(tally), 15);
  one.take(counts(1));
  t.equal(inserts(tally), 16);
  t.equal(numberOf(tally, 'guard_phase_seconds_total', { phase: 'judge' }), 1.5);
});

t.test('never goes back, whatever a guard tells', async (t) => {
  const tally = new GuardTally();
  const teller = tally.teller();
  teller.take(counts(5));
  teller.take(counts(2));
  t.equal(inserts(tally), 5);
});

t.test('counts the tokens that guards asked for, by what became of it, whichever guard asked', async (t) => {
  const tally = new GuardTally();
  const [one, other] = [tally.teller(), tally.teller()];
  one.token('made');
  one.launched();
  one.token('made');
  other.token('made');
  other.token('limited');
  const of = (outcome: string) => numberOf(tally, 'guard_login_tokens_total', { outcome });
  t.same(['made', 'failed', 'denied', 'limited'].map(of), [3, 0, 0, 1]);
});
