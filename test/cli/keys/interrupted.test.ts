/** What somebody is told who ends a command that has handed something in: it goes on without him. */
import t from 'tap';
import { askToChange } from '../../../cli/keys/ask-keys.ts';
import { StopRequested } from '../../../runtime/abort.ts';

t.test('says that what was handed in is carried out all the same, and where that shows', async (t) => {
  const stopped = Promise.reject(new StopRequested('a signal ended the asking'));
  await t.rejects(askToChange(stopped), { message: /carried out all the same.*keys status/ });
});

t.test('passes answers and other errors on', async (t) => {
  t.equal(await askToChange(Promise.resolve(7)), 7);
  const refusal = new Error('refused');
  await t.rejects(askToChange(Promise.reject(refusal)), refusal);
});
