/** `acra-enclave guard ddl` as a user runs it. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { caseDatabase, LOGIN } from '../acra/catalogue/support/database.ts';
import { PROJECT } from '../project/imports.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { acraEnclave } from './support/acra-enclave.ts';

function enclaveFolder(t: Test, uniqueSearches = '[]'): string {
  const folder = temporaryFolder(t);
  for (const file of ['enclave.yaml', 'encryptor.yaml'])
    copyFileSync(join(PROJECT, 'examples', file), join(folder, file));
  writeFileSync(join(folder, 'guard-list.yaml'), `version: 1\nuniqueSearches: ${uniqueSearches}\n`);
  return folder;
}

const ddl = (folder: string, ...words: string[]) =>
  acraEnclave(['guard', 'ddl', '--enclave', folder, ...words], { PGPASSWORD: LOGIN.password });

t.test('prints the same for the same configuration, without a database', async (t) => {
  const folder = enclaveFolder(t);
  const [first, second] = [await ddl(folder), await ddl(folder)];
  t.equal(first.code, 0, first.stderr);
  t.equal(first.stdout, second.stdout);
  t.match(first.stdout, 'ALTER TABLE "public"."patients"\n  DROP CONSTRAINT IF EXISTS "acra_belt_email",\n');
  t.notMatch(first.stdout, /^(?:CREATE|GRANT|ALTER ROLE)/m);
});

t.test('writes indexes that the list or an option names, rights and settings of the role', async (t) => {
  const { code, stdout, stderr } = await ddl(
    enclaveFolder(t, '[patients.email]'),
    ...['--unique', 'patients.(name,email)', '--schema', 'Other', '--role', 'An "app'],
  );
  t.equal(code, 0, stderr);
  t.match(stdout, 'ON "Other"."patients" (pg_catalog.substr("email", 1, 33));');
  t.match(stdout, 'ON "Other"."patients" ("name", pg_catalog.substr("email", 1, 33));');
  t.match(stdout, 'GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE "Other"."patients" TO "An ""app";');
  t.match(stdout, `ALTER ROLE "An ""app" SET log_min_error_statement = 'panic';`);
});

t.test('rejects a unique index on what is not searchable (CLI_OPTION)', async (t) => {
  for (const entry of ['patients.diagnosis', 'patients.(email,diagnosis)', 'patients', 'other.email']) {
    const { code, stderr, stdout } = await ddl(enclaveFolder(t), '--unique', entry);
    t.not(code, 0);
    t.match(stderr, 'error CLI_OPTION: --unique names no searchable column');
    t.equal(stdout, '');
  }
});

t.test('a database', async (t) => {
  const { judge, words: at, client } = await caseDatabase(t);
  await judge(
    'CREATE SCHEMA "Second one"; CREATE TABLE "Second one".patients (email bytea); CREATE SCHEMA third; CREATE VIEW third.patients AS SELECT 1',
  );

  await t.test('is asked in which schemas it has the tables', async (t) => {
    const { code, stdout, stderr } = await ddl(enclaveFolder(t), ...at);
    t.equal(code, 0, stderr);
    const tables = [...stdout.matchAll(/^ALTER TABLE (\S.*)$/gm)]
      .map(([, name]) => name)
      .filter((name) => !name?.includes(';'));
    t.same(new Set(tables), new Set(['"Second one"."patients"', '"public"."patients"']));
  });

  await t.test('has a table named that it does not have, with exit code 1', async (t) => {
    const folder = enclaveFolder(t);
    const file = join(folder, 'encryptor.yaml');
    writeFileSync(
      file,
      `${readFileSync(file, 'utf8')}  - table: missing\n    columns: [a]\n    encrypted: [{column: a}]\n`,
    );
    const { code, stdout, stderr } = await ddl(folder, ...at);
    t.equal(code, 1);
    t.match(stderr, 'no schema has table "missing": it is left out');
    t.notMatch(stdout, '"missing"');
  });

  await t.test('is not changed', async (t) => {
    const { rows } = await client.query("SELECT 1 FROM pg_constraint WHERE conname LIKE 'acra_belt%'");
    t.same(rows, []);
  });
});
