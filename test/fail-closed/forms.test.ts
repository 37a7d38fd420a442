/** Whatever the form of a statement: what it stores is stored encrypted, or the statement is refused; nothing goes out in plaintext. */
import t from 'tap';
import type { Form } from './support/form.ts';
import { guardedPlace } from './support/place.ts';
import { observe, PROTOCOLS } from './support/run-form.ts';
import { SEARCHES } from './support/searches.ts';
import { WRITES } from './support/writes.ts';

const REFUSED = ['0A000', '42000', '42501'];

t.test('statements through the guard', async (t) => {
  const place = await guardedPlace(t);
  for (const [name, form] of Object.entries<Form>({ ...WRITES, ...SEARCHES })) {
    await t.test(`${form.ends === 'works' ? 'protects' : 'refuses'} ${name}`, async (t) => {
      for (const protocol of form.isSimpleOnly ? (['simple'] as const) : PROTOCOLS) {
        const { outcome, isOnWire, isAtRest, left } = await observe(place, form, protocol);
        t.same(
          { isOnWire, isAtRest },
          { isOnWire: form.saysInClear === true, isAtRest: false },
          `${protocol}: no plaintext`,
        );
        if (form.ends === 'refused') {
          t.match(outcome, { kind: 'failed', message: /^refused by acra-enclave: / }, protocol);
          t.ok(outcome.kind === 'failed' && REFUSED.includes(outcome.sqlState), protocol);
          continue;
        }
        t.match(outcome, { kind: 'works', ...(form.rows && { rows: form.rows }) }, protocol);
        for (const [id, values] of Object.entries(form.leaves ?? {}))
          t.same(left[Number(id)], values, `${protocol}: row ${id}`);
      }
    });
  }
});
