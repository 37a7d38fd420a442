/** Examples as measured images on QEMU's nitro-enclave machine, as a user runs them. */
import t from 'tap';
import { exampleRuns } from '../examples/support/example.ts';

t.test('a service in a measured image gets the key of its list, and another image does not', async (t) => {
  const output = await exampleRuns(t, 'no-fly-list', '--driver', 'qemu');
  t.equal([...(output ?? '').matchAll(/✓/g)].length, 7);
});

t.test('OpenBao in a measured image is unsealed by KMS, and stays sealed in another one', async (t) => {
  const output = await exampleRuns(t, 'secrets-server', '--driver', 'qemu');
  if (output === undefined) return;
  t.equal([...output.matchAll(/✓/g)].length, 6);
});

t.test('an ordinary Flask application keeps patients behind a measured image with Acra', async (t) => {
  const output = await exampleRuns(t, 'patients', '--driver', 'qemu');
  if (output === undefined) return;
  t.equal([...output.matchAll(/✓/g)].length, 12);
});
