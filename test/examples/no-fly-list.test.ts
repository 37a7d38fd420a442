/** The example of the no-fly list, for which the checkout has all that it needs. */
import t from 'tap';
import { exampleRuns } from './support/example.ts';

t.test('a service in an enclave reads an encrypted list, and a client verifies it before it asks', async (t) => {
  const output = await exampleRuns(t, 'no-fly-list');
  t.equal([...(output ?? '').matchAll(/✓/g)].length, 8);
});
