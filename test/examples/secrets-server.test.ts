/** The example of the secrets server, where OpenBao is there. */
import t from 'tap';
import { exampleRuns } from './support/example.ts';

t.test('OpenBao, unmodified, is unsealed by KMS in the measured enclave and nowhere else', async (t) => {
  const output = await exampleRuns(t, 'secrets-server');
  if (output === undefined) return;
  t.equal([...output.matchAll(/✓/g)].length, 10);
});
