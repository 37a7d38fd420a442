/** `acra-enclave doctor` looks at the database, too, where it is told how to log in. */
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { caseDatabase, LOGIN } from '../acra/catalogue/support/database.ts';
import { PROJECT } from '../project/imports.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { acraEnclave } from './support/acra-enclave.ts';

const LIST = 'version: 1\nrelations: [notes]\nfunctions: [touch]\n';

function enclaveFolder(t: Test, list = LIST): string {
  const folder = temporaryFolder(t);
  for (const file of ['enclave.yaml', 'encryptor.yaml'])
    copyFileSync(join(PROJECT, 'examples', file), join(folder, file));
  writeFileSync(join(folder, 'guard-list.yaml'), list);
  return folder;
}

/** Of a machine without a configuration: the rest of it is skipped, or fails. */
async function report(words: readonly string[], password: string = LOGIN.password) {
  const { stdout } = await acraEnclave(['doctor', '--config', '/nowhere', '--json', ...words], {
    PGPASSWORD: password,
  });
  return JSON.parse(stdout).checks.at(-1);
}

t.test('a database', async (t) => {
  const { judge, words: at, client } = await caseDatabase(t);
  await judge('DROP FUNCTION save(text)');

  await t.test('is skipped by name without a folder and a login', async (t) => {
    for (const words of [[], ['--enclave', enclaveFolder(t)], at]) {
      t.match(await report(words), {
        name: 'guard-check-db',
        outcome: 'skipped',
        found: /--enclave FOLDER.*--user NAME/,
      });
    }
  });

  await t.test('is well where nothing contradicts the configuration', async (t) => {
    t.match(await report(['--enclave', enclaveFolder(t), ...at]), { name: 'guard-check-db', outcome: 'ok' });
  });

  await t.test('is warned of where something needs care, and where the list differs', async (t) => {
    t.match(await report(['--enclave', enclaveFolder(t, LIST.replace('notes', 'gone')), ...at]), {
      outcome: 'warning',
      found: 'guard.list is not what the database has',
    });
    await client.query('ALTER TABLE patients DROP CONSTRAINT patients_email_check');
    t.match(await report(['--enclave', enclaveFolder(t), ...at]), {
      outcome: 'warning',
      found: /^warning DB_BELT_MISSING: column email of table public\.patients: /,
      advice: /guard ddl/,
    });
  });

  await t.test('fails where it contradicts the configuration, or cannot be asked', async (t) => {
    t.match(await report(['--enclave', enclaveFolder(t), ...at], 'a-wrong-one'), {
      outcome: 'failure',
      found: /^cannot connect to database/,
      advice: /PGPASSWORD/,
    });
    t.match(await report(['--enclave', '/nowhere', ...at]), { outcome: 'failure', found: /cannot read/ });
    await client.query('ALTER TABLE patients RENAME TO others');
    t.match(await report(['--enclave', enclaveFolder(t), ...at]), {
      outcome: 'failure',
      found: /error DB_TABLE_MISSING/,
    });
  });
});
