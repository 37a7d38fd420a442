/** The whole product where TLS ends in the enclave, with clients at their defaults. */
import t from 'tap';
import { connectDirectly, connectThroughEnclave } from '../../cli/demo/clients.ts';
import { servingStack } from '../support/stack.ts';

t.test('serves a client by its certificate, and stores ciphertext', async (t) => {
  const { stack, address } = await servingStack(t);
  const client = await connectThroughEnclave(stack, address);
  await client.query(`INSERT INTO patients (id, name, email, diagnosis) VALUES (1, 'Ada', 'ada@example.org', 'flu')`);
  await client.query('INSERT INTO patients (id, name, email, diagnosis) VALUES ($1, $2, $3, $4)', [
    2,
    'Bob',
    'bob@example.org',
    'gout',
  ]);
  const { rows } = await client.query('SELECT id, name, email, diagnosis FROM patients ORDER BY id');
  t.same(rows, [
    { id: 1, name: 'Ada', email: 'ada@example.org', diagnosis: 'flu' },
    { id: 2, name: 'Bob', email: 'bob@example.org', diagnosis: 'gout' },
  ]);
  const found = await client.query('SELECT id FROM patients WHERE email = $1', ['bob@example.org']);
  t.same(found.rows, [{ id: 2 }]);
  const owner = await connectDirectly(stack);
  const stored = await owner.query('SELECT email, diagnosis FROM patients ORDER BY id');
  for (const { email, diagnosis } of stored.rows) {
    t.equal(email[0], 0x7f);
    t.equal(diagnosis.toString('latin1', 0, 3), '%%%');
  }
  await owner.end();
  await client.end();
});
