/** What makes challenges of users that are not there: lasting, and of one identity alone. */
import t from 'tap';
import { SecretBuffer } from '../../../../runtime/secret-buffer.ts';
import { mockSecretOf } from '../../../../supervisor/workloads/sessions/mock-secret.ts';

const hexOf = (clientId: string, mockKey: number): string =>
  mockSecretOf(clientId, SecretBuffer.take(Buffer.alloc(32, mockKey))).use((bytes) => bytes.toString('hex'));

t.test('is the same at every start, so that no challenge tells who exists', async (t) => {
  t.equal(hexOf('billing', 7), hexOf('billing', 7));
  t.equal(hexOf('billing', 7).length, 64);
});

t.test('is another for another identity, and under another key', async (t) => {
  t.equal(new Set([hexOf('billing', 7), hexOf('reports', 7), hexOf('billing', 8)]).size, 3);
});
