/** `acra-enclave guard explain` as a user runs it. */
import { join } from 'node:path';
import t from 'tap';
import { PROJECT } from '../project/imports.ts';
import { acraEnclave } from './support/acra-enclave.ts';

const explain = (sql: string, ...words: string[]) =>
  acraEnclave(['guard', 'explain', '--enclave', join(PROJECT, 'examples'), ...words, sql]);

t.test('says what is protected, what is decrypted, and what the database gets', async (t) => {
  const { code, stdout, stderr } = await explain(
    "UPDATE patients SET diagnosis = 'flu' WHERE email = $1 OR email = 'x' RETURNING id, email",
  );
  t.equal(code, 0, stderr);
  t.match(stdout, /passes.*\n {2}a literal: encrypted for patients\.diagnosis\n/);
  t.match(stdout, '$1: hash for patients.email');
  t.match(stdout, 'column 2: patients.email');
  t.match(stdout, "SET diagnosis = '‹encrypted for patients.diagnosis›'::bytea WHERE substr(email, 1, 33) = $1");
  t.notMatch(stdout, 'flu', 'no value');
});

t.test('says of COPY which of its columns are encrypted, or decrypted', async (t) => {
  const into = await explain('COPY patients FROM STDIN (FORMAT csv)');
  t.match(into.stdout, 'column 3 of COPY: encrypted for patients.email');
  t.match(into.stdout, 'COPY patients ("id", "name", "email", "diagnosis") FROM STDIN (FORMAT csv)');
  const outOf = await explain('COPY (SELECT diagnosis FROM patients) TO STDOUT');
  t.match(outOf.stdout, 'column 1: patients.diagnosis');
});

t.test('says why it refuses, with exit code 1, also as JSON', async (t) => {
  const { code, stdout } = await explain("SELECT * FROM patients WHERE email LIKE 'x%'");
  t.equal(code, 1);
  t.match(stdout, /^refused 0A000 \(comparison\): protected column "email"/);
  t.match(stdout, /\ninstead: Compare a searchable column by =.*\nsee docs\/refusals\.md#comparison\n$/);
  t.notMatch(stdout, 'x%', 'no value');
  const asJson = await explain('SELEC 1', '--json');
  t.equal(asJson.code, 1);
  t.same(JSON.parse(asJson.stdout), {
    verdict: 'refused',
    kind: 'syntax',
    sqlState: '42601',
    reason: 'syntax error at character 1',
    accepted: 'Write what PostgreSQL 18 reads.',
    address: 'docs/refusals.md#syntax',
  });
});

t.test('says what hangs on the session', async (t) => {
  const { stdout } = await explain('FETCH 3 FROM c', '--json');
  t.match(JSON.parse(stdout), { verdict: 'passes', depends: [/"c" was declared/] });
});
