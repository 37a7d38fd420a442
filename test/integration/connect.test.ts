/** `acra-enclave connect` as a user runs it, towards the whole product: what it verifies is what the real front attests. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import t from 'tap';
import { connectDirectly } from '../../cli/demo/clients.ts';
import { APPLICATION, DATABASE } from '../../cli/demo/database.ts';
import { writeVerificationFiles } from '../../cli/demo/verification.ts';
import { start } from '../cli/support/acra-enclave.ts';
import { servingStack } from '../support/stack.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

t.test('serves a driver through a verified enclave, and ends in order', async (t) => {
  const { stack, address } = await servingStack(t);
  const { measurements, trustRoot } = await writeVerificationFiles(stack);
  const { certificate, key } = stack.parts.clientFiles;
  const folder = join(temporaryFolder(t), 'socket');
  const demands = ['--measurements', measurements, '--trust-root', trustRoot];
  const to = `${address.host}:${address.port}`;
  const run = start(['connect', to, '--cert', certificate, '--key', key, '--socket-dir', folder, ...demands]);
  t.teardown(() => run.child.kill('SIGKILL'));
  const listening = new Promise<string>((resolve) => {
    let told = '';
    run.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      told += text;
      if (told.includes('listening')) resolve(told);
    });
  });
  const told = await Promise.race([listening, run.outcome.then(({ stderr }) => stderr)]);
  t.match(told, /^NOT AWS/, 'its first line says whose root it trusts');
  const client = new pg.Client({ host: folder, user: APPLICATION.user, database: DATABASE });
  client.on('error', (error) => t.comment(error.message));
  await client.connect();
  const insert = 'INSERT INTO patients (id, name, email, diagnosis) VALUES ($1, $2, $3, $4)';
  await client.query(insert, [1, 'Ada', 'ada@example.org', 'a rare diagnosis']);
  const read = 'SELECT diagnosis FROM patients WHERE id = 1';
  t.same((await client.query(read)).rows, [{ diagnosis: 'a rare diagnosis' }]);
  const owner = await connectDirectly(stack);
  t.notMatch(String((await owner.query(read)).rows[0]?.diagnosis), 'a rare diagnosis', 'the database has ciphertext');
  await owner.end();
  await client.end();
  run.child.kill('SIGTERM');
  t.equal((await run.outcome).code, 0);
  t.notOk(existsSync(join(folder, '.s.PGSQL.5432')));
});
