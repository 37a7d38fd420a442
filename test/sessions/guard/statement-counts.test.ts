/** What a guard counts, when it tells, and that its supervisor takes it. */
import t from 'tap';
import type { Work } from '../../../acra/conversation/statement-watch.ts';
import type { GuardCounts } from '../../../sessions/guard/guard-counts.ts';
import { StatementCounts } from '../../../sessions/guard/statement-counts.ts';
import { fromGuardSchema } from '../../../sessions/messages.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { settled } from '../support/streams.ts';

const work = (verdict: Work['verdict'], kinds: Work['kinds'], refusal?: Work['refusal']): Work => ({
  kinds,
  verdict,
  refusal,
  sql: '',
  spent: { judge: 1, engine: 2, database: 3.5 },
  sentMs: 0,
});

function rig() {
  const clock = new FakeClock();
  const told: GuardCounts[] = [];
  const statements = new StatementCounts(clock, { containersElsewhere: 4, contradictedCells: 2 }, (counts) =>
    told.push(structuredClone(counts)),
  );
  return { clock, told, statements };
}

t.test('tells once a second at most, and only when something has changed', async (t) => {
  const { clock, told, statements } = rig();
  for (let count = 0; count < 3; count += 1) statements.finished(work('protected', ['insert', 'select']));
  t.equal(told.length, 0);
  clock.advance(1_000);
  await settled();
  t.match(told, [
    { statements: { protected: { insert: 3, select: 3 } }, spentMs: { judge: 3, engine: 6, database: 10.5 } },
  ]);
  clock.advance(10_000);
  await settled();
  t.equal(told.length, 1);
  statements.finished(work('untouched', ['other']));
  clock.advance(1_000);
  await settled();
  t.match(told[1], { statements: { untouched: { other: 1 } }, containersElsewhere: 4, contradictedCells: 2 });
});

t.test('tells at its end what it has not told yet', async (t) => {
  const { told, statements } = rig();
  statements.flush();
  t.equal(told.length, 0);
  statements.finished(work('refused', ['select'], 'order'));
  statements.finished(work('reported', ['select'], 'copied'));
  statements.finished(work('refused', [], 'unreadable'));
  statements.flush();
  t.match(told, [{ refusals: { refused: { order: 1, unreadable: 0 }, reported: { copied: 1 } } }]);
});

t.test('keeps to what a supervisor takes, which is no other label and no negative number', async (t) => {
  const { counts } = rig().statements;
  t.ok(fromGuardSchema.safeParse(counts).success);
  for (const wrong of [
    { ...counts, containersElsewhere: -1 },
    { ...counts, values: { ...counts.values, patients: 1 } },
    { ...counts, statements: { ...counts.statements, select: counts.statements.refused } },
    { ...counts, spentMs: { judge: 0, engine: 0 } },
  ]) {
    t.notOk(fromGuardSchema.safeParse(wrong).success);
  }
});
