/** Columns whose rows are being encrypted, as the commands tell of them (decision 21). */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { PROJECT } from '../project/imports.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { acraEnclave } from './support/acra-enclave.ts';

const BESIDE = '      - {column: email_protected, searchable: true, data_type: str}\n';

function folderWith(t: Test, guard: string, encrypted = BESIDE): string {
  const folder = temporaryFolder(t);
  cpSync(join(PROJECT, 'examples'), folder, { recursive: true });
  const change = (name: string, from: string, to: string) => {
    const text = readFileSync(join(folder, name), 'utf8');
    writeFileSync(join(folder, name), text.replace(from, to));
  };
  change('enclave.yaml', 'guard:\n', `guard:\n  ${guard}\n`);
  change('encryptor.yaml', 'diagnosis]', 'diagnosis, email_protected]');
  change('encryptor.yaml', '    encrypted:\n', `    encrypted:\n${encrypted}`);
  return folder;
}

const EMAIL = 'migrations: [{table: patients, column: email}]';

t.test('warns of each column that goes in plaintext until its switch', async (t) => {
  const { code, stdout, stderr } = await acraEnclave(['config', 'check', join(folderWith(t, EMAIL), 'enclave.yaml')]);
  t.equal(code, 0, stderr);
  t.match(stdout, /warning guard\.migrations names patients\.email: until it is switched .* in plaintext/);
});

for (const [what, guard, encrypted, message] of [
  [
    'a column beside that is protected otherwise',
    EMAIL,
    BESIDE.replace('true', 'false'),
    /0: column "email_protected" of table "patients" is protected otherwise/,
  ],
  [
    'a column beside that is not protected',
    'migrations: [{table: patients, column: email, beside: e2}]',
    BESIDE,
    /0: column "e2" of table "patients" is not protected/,
  ],
  [
    'report mode, which holds nothing to the switch',
    `mode: report\n  ${EMAIL}`,
    BESIDE,
    /guard\.migrations: found .*must be left out with guard\.mode: report/,
  ],
] as const) {
  t.test(`rejects ${what}`, async (t) => {
    const file = join(folderWith(t, guard, encrypted), 'enclave.yaml');
    const { code, stderr } = await acraEnclave(['config', 'check', file]);
    t.equal(code, 78);
    t.match(stderr, message);
  });
}

t.test('explains what happens behind the switch, and that there is one', async (t) => {
  const folder = folderWith(t, EMAIL);
  const { stdout } = await acraEnclave([
    'guard',
    'explain',
    '--enclave',
    folder,
    "SELECT * FROM patients WHERE email = 'a@b'",
  ]);
  t.match(stdout, 'a literal: hash for patients.email');
  t.match(
    stdout,
    'SELECT "patients"."id", "patients"."name", "patients"."email", "patients"."diagnosis" FROM patients',
  );
  t.match(stdout, 'depends on guard.migrations: until "email" of "patients" is switched, its values go as they are');
});
