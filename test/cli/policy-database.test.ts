/** `policy print --iam` for an enclave that logs in to its database by IAM: users and database by name, never by a wildcard. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { PROJECT } from '../project/imports.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { acraEnclave } from './support/acra-enclave.ts';

const EXAMPLES = join(PROJECT, 'examples');
const ROLE = 'arn:aws:iam::111122223333:role/acra-enclave';
const MEASUREMENTS = { Measurements: { PCR0: 'a0'.repeat(48), PCR1: 'a1'.repeat(48), PCR2: 'a2'.repeat(48) } };

const enclave = temporaryFolder(t);
const image = join(enclave, 'measurements.json');
writeFileSync(image, JSON.stringify(MEASUREMENTS));
const yaml = readFileSync(join(EXAMPLES, 'enclave.yaml'), 'utf8');
const byIam = yaml.replace('login: certificate', 'login: rds-iam').replace(/\n +secret: [^\n]+/, '');
writeFileSync(join(enclave, 'enclave.yaml'), byIam);

const print = (...words: string[]) =>
  acraEnclave(['policy', 'print', '--role-arn', ROLE, '--measurements', image, '--iam', ...words]);

t.test('prints rds-db:connect for the users of enclave.yaml in the database that is named', async (t) => {
  const { stdout } = await print('--enclave', enclave, '--database-resource', 'cluster-ABCDEFGHIJKL');
  t.match(JSON.parse(stdout).Statement.at(-1), {
    Action: 'rds-db:connect',
    Resource: 'arn:aws:rds-db:eu-central-1:111122223333:dbuser:cluster-ABCDEFGHIJKL/records_app',
  });
});

t.test('prints none where the database is not named, and says what is missing', async (t) => {
  const unnamed = await print('--enclave', enclave);
  t.notMatch(unnamed.stdout, 'rds-db');
  t.match(unnamed.stderr, '--database-resource');
});

t.test('rejects a wildcard, and a database of an enclave that has a password (CLI_OPTION)', async (t) => {
  const wild = await print('--enclave', enclave, '--database-resource', '*');
  t.match(wild, { stdout: '', stderr: /CLI_OPTION/ });
  const byPassword = await print('--enclave', EXAMPLES, '--database-resource', 'db-ABCDEFGHIJKL');
  t.match(byPassword, { stdout: '', stderr: /CLI_OPTION/ });
});
