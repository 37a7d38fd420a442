/** The example of patients, where Python 3.11 to 3.13 and PyPI are there. */
import t from 'tap';
import { exampleRuns } from './support/example.ts';

t.test('an ordinary Flask application keeps patients in a database that holds ciphertext', async (t) => {
  const output = await exampleRuns(t, 'patients');
  if (output === undefined) return;
  t.equal([...output.matchAll(/✓/g)].length, 12);
});
