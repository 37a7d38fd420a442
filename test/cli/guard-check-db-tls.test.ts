/** `acra-enclave guard check-db` connects by TLS as the configuration measures it, whatever address it is given. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { stringify } from 'yaml';
import { DATABASE_NAME, makeCertificates } from '../../cli/demo/certificates.ts';
import { ENCRYPTOR_YAML } from '../../cli/demo/database.ts';
import { startShop } from '../support/shop-database.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { acraEnclave } from './support/acra-enclave.ts';

const USER = { name: 'someone', password: 'the-password-of-someone' };
const { database, databaseCaPem, applicationCaPem } = await makeCertificates();

function enclaveFolder(t: Test, serverName: string, caPem: string): string {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'tls'));
  writeFileSync(join(folder, 'tls/database-ca.pem'), caPem);
  writeFileSync(join(folder, 'encryptor.yaml'), ENCRYPTOR_YAML);
  const enclave = {
    version: 1,
    name: 'demo',
    database: { serverName, users: [{ name: 'someone', clients: ['CN=x'] }] },
    kms: {
      region: 'eu-central-1',
      keyArn: 'arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555',
      encryptionContext: { purpose: 'x' },
    },
  };
  writeFileSync(join(folder, 'enclave.yaml'), stringify(enclave));
  return folder;
}

function check(folder: string, port: number, ...words: string[]) {
  const login = ['--user', USER.name, '--database', 'shop', '--host', '127.0.0.1', '--port', String(port)];
  return acraEnclave(['guard', 'check-db', '--enclave', folder, ...login, ...words], { PGPASSWORD: USER.password });
}

t.test('a database that speaks TLS', async (t) => {
  const { port } = await startShop(t, USER, { certPem: database.certificatePem, keyPem: database.privateKeyPem });

  await t.test('keeps to the measured name and authority', async (t) => {
    const { code, stdout, stderr } = await check(enclaveFolder(t, DATABASE_NAME, databaseCaPem), port);
    t.equal(code, 1, stderr);
    t.match(stdout, 'error DB_TABLE_MISSING: table patients');
  });

  const others = {
    'another name': [enclaveFolder(t, 'other.internal', databaseCaPem)],
    'another authority': [enclaveFolder(t, DATABASE_NAME, applicationCaPem)],
    'no TLS': [enclaveFolder(t, DATABASE_NAME, databaseCaPem), '--plaintext'],
  } as const;
  for (const [name, [folder, ...words]] of Object.entries(others)) {
    await t.test(`rejects ${name} (CLI_DATABASE)`, async (t) => {
      const { code, stderr } = await check(folder, port, ...words);
      t.equal(code, 69, stderr);
      t.match(stderr, 'error CLI_DATABASE');
    });
  }
});

t.test('rejects a database without TLS, unless it is told to (CLI_DATABASE)', async (t) => {
  const { port } = await startShop(t, USER, undefined);
  const folder = enclaveFolder(t, DATABASE_NAME, databaseCaPem);
  t.equal((await check(folder, port)).code, 69);
  t.equal((await check(folder, port, '--plaintext')).code, 1);
});
