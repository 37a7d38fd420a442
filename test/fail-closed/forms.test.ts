/** Whatever the form of a statement: what it stores is stored encrypted, or the statement is refused; nothing goes out in plaintext. */
import t from 'tap';
import type { Form } from './support/form.ts';
import { requireProtected } from './support/judge-form.ts';
import { guardedPlace } from './support/place.ts';
import { SEARCHES } from './support/searches.ts';
import { WRITES } from './support/writes.ts';

t.test('statements through the guard', async (t) => {
  const place = await guardedPlace(t);
  for (const [name, form] of Object.entries<Form>({ ...WRITES, ...SEARCHES })) {
    await t.test(`${form.ends === 'works' ? 'protects' : 'refuses'} ${name}`, (t) => requireProtected(t, place, form));
  }
});
