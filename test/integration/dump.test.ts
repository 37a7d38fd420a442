/** pg_dump, pg_restore and psql through the whole chain: a dump in plaintext, and one that has protected columns as they are stored. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { connectDirectly, connectThroughEnclave } from '../../cli/demo/clients.ts';
import { APPLICATION, DATABASE } from '../../cli/demo/database.ts';
import { writeCertificateFiles } from '../clients/support/certificate-files.ts';
import { DATABASE_MAJOR } from '../support/database-package.ts';
import { dumpPrograms } from '../support/dump-programs.ts';
import { servingStack } from '../support/stack.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const MARKER = 'PLAINTEXT';
const AS_STORED = '-c acra_enclave.protected=stored';
const ONE_TABLE = ['--data-only', '--table=patients'];
const run = promisify(execFile);

/** What a database has beside its tables. */
const OTHERS = `
  CREATE TYPE mood AS ENUM ('well', 'ill');
  CREATE TABLE visits (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, patient int REFERENCES patients, mood mood DEFAULT 'ill', at date[]);
  CREATE VIEW ids AS SELECT id FROM patients;
  CREATE FUNCTION half(n int) RETURNS int LANGUAGE sql AS 'SELECT n / 2';
  CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
  CREATE TRIGGER touched BEFORE UPDATE ON visits FOR EACH ROW EXECUTE FUNCTION touch();
  CREATE AGGREGATE total (int) (SFUNC = int4pl, STYPE = int);
  CREATE INDEX ON visits ((patient + 1)) WHERE id > 3;
  COMMENT ON TABLE visits IS 'it''s a comment';
  GRANT ALL ON visits, ids, visits_id_seq TO ${APPLICATION.user};
`;

const found = dumpPrograms(DATABASE_MAJOR);
if (typeof found === 'string') t.pass('pg_dump through the enclave', { skip: found });
else {
  const { folder, environment, version } = found;
  t.comment(version);
  const { stack, address } = await servingStack(t);
  const [application, owner] = [await connectThroughEnclave(stack, address), await connectDirectly(stack)];
  t.teardown(() => Promise.all([application.end(), owner.end()]));
  await owner.query(OTHERS);
  const { certificates } = stack.parts;
  const place = temporaryFolder(t);
  const files = await writeCertificateFiles(place, {
    caPem: certificates.applicationCaPem,
    ...certificates.client,
  });
  const env = {
    ...environment,
    LC_ALL: 'C.UTF-8',
    PGHOST: 'localhost',
    PGPORT: String(address.port),
    PGUSER: APPLICATION.user,
    PGDATABASE: DATABASE,
    PGSSLMODE: 'verify-full',
    PGSSLROOTCERT: files.ca,
    PGSSLCERT: files.cert,
    PGSSLKEY: files.key,
  };
  const by = async (program: string, args: readonly string[], options = '') =>
    (await run(join(folder, program), args, { env: { ...env, PGOPTIONS: options } })).stdout;
  const into = (file: string, options: string) =>
    by('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', file], options);

  const INSERT = 'INSERT INTO patients (id, name, email, diagnosis) VALUES ($1, $2, $3, $4)';
  for (const [id, text] of [MARKER, '\\x25', `${MARKER}\twith\n\\."all", 'of' it`, 'ü 😀'].entries()) {
    await application.query(INSERT, [id, `name ${id}`, `${text} ${id}`, text]);
  }
  await application.query(INSERT, [5, 'nothing', null, null]);
  const read = async () => (await application.query('SELECT * FROM patients ORDER BY id')).rows;
  const stored = async () => (await owner.query('SELECT * FROM patients ORDER BY id')).rows;
  const before = await read();

  const SHAPES: Readonly<Record<string, readonly string[]>> = {
    'as COPY': [],
    'as INSERT': ['--inserts'],
    'as INSERT of many rows': ['--column-inserts', '--rows-per-insert=3'],
  };
  for (const [shape, options] of Object.entries(SHAPES)) {
    t.test(`restores what was dumped as it is stored, ${shape}`, async (t) => {
      const dump = await by('pg_dump', [...ONE_TABLE, ...options], AS_STORED);
      t.notMatch(dump, MARKER);
      const kept = await stored();
      const file = join(place, 'stored.sql');
      writeFileSync(file, dump);
      await application.query('DELETE FROM patients');
      await into(file, AS_STORED);
      t.same(await stored(), kept, 'byte for byte');
      t.same(await read(), before);
      t.equal((await application.query('SELECT id FROM patients WHERE email = $1', [`${MARKER} 0`])).rowCount, 1);
    });

    t.test(`restores what was dumped in plaintext, ${shape}`, async (t) => {
      const dump = await by('pg_dump', [...ONE_TABLE, ...options]);
      t.match(dump, MARKER);
      const file = join(place, 'plain.sql');
      writeFileSync(file, dump);
      await application.query('DELETE FROM patients');
      await into(file, '');
      t.same(await read(), before);
      t.notMatch(JSON.stringify(await stored()), Buffer.from(MARKER).toJSON().data.join());
    });
  }

  t.test('restores an archive with pg_restore', async (t) => {
    const file = join(place, 'archive');
    await by('pg_dump', [...ONE_TABLE, '--format=custom', `--file=${file}`], AS_STORED);
    const kept = await stored();
    await application.query('DELETE FROM patients');
    await by('pg_restore', ['--data-only', '--exit-on-error', `--dbname=${DATABASE}`, file], AS_STORED);
    t.same(await stored(), kept);
    t.same(await read(), before);
  });

  t.test('dumps all that a database has', async (t) => {
    for (const options of [AS_STORED, '']) {
      const dump = await by('pg_dump', [], options);
      for (const part of ['CREATE TYPE', 'CREATE VIEW', 'CREATE FUNCTION', 'CREATE TRIGGER', 'COMMENT ON', 'COPY'])
        t.match(dump, part);
      t.equal(dump.includes(MARKER), options === '');
    }
  });

  t.test('refuses a setting of its own that it does not know', async (t) => {
    for (const options of ['-c acra_enclave.protcted=stored', '-c acra_enclave.protected=cipher']) {
      const refused = await by('pg_dump', ONE_TABLE, options).catch(({ stderr }) => stderr);
      t.match(refused, /acra_enclave\.protected is decrypted or stored/);
    }
  });
}
