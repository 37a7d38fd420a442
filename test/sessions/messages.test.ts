/** What programs tell their supervisor: whatever they log, it is something that they may say. */
import t from 'tap';
import { loggable } from '../../sessions/loggable.ts';
import { fromFrontSchema, fromGuardSchema } from '../../sessions/messages.ts';

t.test('cuts the texts of a record to what a program may say: it would be ended for a longer one', async (t) => {
  const fields = { reason: 'x'.repeat(100_000), count: 3, isLast: true };
  const record = { type: 'log', level: 'warn', event: 'guard.session-ended' };
  t.notOk(fromGuardSchema.safeParse({ ...record, fields }).success);
  const cut = { ...record, fields: loggable(fields) };
  t.match(fromGuardSchema.parse(cut), { fields: { reason: /^x+$/, count: 3, isLast: true } });
  t.ok(fromFrontSchema.safeParse({ ...cut, event: 'front.refused' }).success);
});
