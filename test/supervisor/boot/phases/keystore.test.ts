/** What the boot opens with the master key: every sealed file, or none, and no password is told. */
import { copyFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { stringify } from 'yaml';
import { clientIdFromName } from '../../../../acra/client-id.ts';
import { KeystoreError } from '../../../../acra/errors.ts';
import { createKeystore } from '../../../../acra/keystore/create.ts';
import { databaseUserContext, sealFile, TLS_KEY_CONTEXT } from '../../../../acra/keystore/seal-file.ts';
import { enclaveSchema } from '../../../../config/enclave.ts';
import { guardListSchema } from '../../../../config/guard-list.ts';
import { loadConfig } from '../../../../config/load.ts';
import { makeVerifier } from '../../../../postgres/scram/verifier.ts';
import { SecretBuffer } from '../../../../runtime/secret-buffer.ts';
import { keystorePhase } from '../../../../supervisor/boot/phases/keystore.ts';
import { KeyLease } from '../../../../supervisor/lease/lease.ts';
import { PROJECT } from '../../../project/imports.ts';
import { rejectsCode } from '../../../support/coded-error.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { seededRandom } from '../../../support/seeded-random.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { phaseContext } from '../../support/phase-context.ts';

const CLIENT = 'CN=billing,O=Example';
const USERS = [
  { name: 'app', clients: [CLIENT] },
  { name: 'reports', clients: [CLIENT], secret: 'database/of-reports' },
];
const PASSWORDS = { app: 'pässword of app', reports: '=reports=' };
const secretOf = (text: string) => SecretBuffer.take(Buffer.from(text));
const masterKey = () => SecretBuffer.take(Buffer.alloc(32, 7));

async function seal(folder: string, file: string, text: string, context: string): Promise<void> {
  writeFileSync(join(folder, file), sealFile({ plaintext: secretOf(text), masterKey: masterKey(), context }));
}

/** After a ceremony for one client. @param sections of enclave.yaml */
async function measuredFolder(t: Test, sections: object): Promise<string> {
  const folder = temporaryFolder(t);
  for (const name of ['tls', 'database']) mkdirSync(join(folder, name));
  const kms = {
    keyArn: 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
    encryptionContext: { purpose: 'test' },
  };
  const yaml = { version: 1, name: 'records', database: { serverName: 'db.internal', users: USERS }, kms, ...sections };
  writeFileSync(join(folder, 'enclave.yaml'), stringify(yaml, { aliasDuplicateObjects: false }));
  copyFileSync(join(PROJECT, 'examples/encryptor.yaml'), join(folder, 'encryptor.yaml'));
  await createKeystore({
    folder: join(folder, 'keystore'),
    masterKey: masterKey(),
    clientIds: [clientIdFromName(CLIENT, 'distinguished_name')],
    random: seededRandom('keystore'),
  });
  await seal(folder, 'tls/server.key.sealed', 'key', TLS_KEY_CONTEXT);
  await seal(folder, 'database/app.sealed', PASSWORDS.app, databaseUserContext('app'));
  await seal(folder, 'database/of-reports', PASSWORDS.reports, databaseUserContext('reports'));
  return folder;
}

function start(folder: string) {
  const undo: (() => void)[] = [];
  const context = {
    ...phaseContext('keystore', new FakeClock(0)),
    signal: new AbortController().signal,
    defer: (cleanup: () => Promise<void> | void) => void undo.push(() => void cleanup()),
  };
  const config = loadConfig(enclaveSchema, join(folder, 'enclave.yaml'));
  const leased = { masterKey: masterKey(), ask: async () => masterKey(), grantedMs: 0 };
  const have = {
    config,
    pathOf: (file: string) => join(folder, file),
    encryptorConfig: { tables: new Map(), warnings: [] },
    guardList: guardListSchema.parse({ version: 1 }),
    certificateEnds: [],
    attestedKey: undefined,
    brought: undefined,
    masterKey: masterKey(),
    lease: new KeyLease({ ...context, ...config.lease, leased, onEnd: context.fail }),
  };
  const running = keystorePhase.run(have, context);
  const stop = () => {
    for (const each of undo) each();
  };
  return { running, logger: context.logger, stop };
}

t.test('opens the password of each user, tells none of them, and zeroes them at the end', async (t) => {
  const { running, logger, stop } = start(await measuredFolder(t, {}));
  const { keys, serverKey } = await running;
  const { databaseSecrets } = keys.current;
  t.same([...databaseSecrets.keys()], ['app', 'reports']);
  const lent: Buffer[] = [];
  for (const [user, password] of Object.entries(PASSWORDS)) {
    const secrets = databaseSecrets.get(user) ?? [];
    t.equal(secrets.length, 1);
    secrets[0]?.use((bytes) => {
      t.equal(bytes.toString(), password);
      lent.push(bytes);
    });
  }
  t.notMatch(JSON.stringify(logger.records), /pässword|=reports=/);
  stop();
  t.equal(lent.length, 2);
  t.ok(lent.every((bytes) => bytes.every((byte) => byte === 0)));
  t.throws(() => serverKey.use(() => undefined), { code: 'RUNTIME_SECRET_WIPED' });
});

const VERIFIER = (await makeVerifier(secretOf(PASSWORDS.app), seededRandom('verifier'))).toString();
const withLogin = (login: string, user: object) => ({
  database: { serverName: 'db.internal', login, users: [{ ...USERS[0], ...user }] },
});

t.test('opens both secrets of a user, in their order', async (t) => {
  const folder = await measuredFolder(t, withLogin('certificate', { nextSecret: 'database/app.next' }));
  await seal(folder, 'database/app.next', 'the next', databaseUserContext('app'));
  const { databaseSecrets } = (await start(folder).running).keys.current;
  const opened = databaseSecrets.get('app')?.map((secret) => secret.use((bytes) => bytes.toString()));
  t.same(opened, [PASSWORDS.app, 'the next']);
});

t.test('opens a verifier where clients keep their passwords', async (t) => {
  const folder = await measuredFolder(t, withLogin('verifier', {}));
  await seal(folder, 'database/app.sealed', VERIFIER, databaseUserContext('app'));
  const { databaseSecrets } = (await start(folder).running).keys.current;
  t.equal(
    databaseSecrets.get('app')?.[0]?.use((bytes) => bytes.toString()),
    VERIFIER,
  );
});

for (const [login, sealed, what] of [
  ['verifier', PASSWORDS.app, 'verifier'],
  ['certificate', VERIFIER, 'password'],
] as const)
  t.test(`rejects what is no ${what} with login: ${login}, in either place (KEYSTORE_SEALED_FILE)`, async (t) => {
    const good = login === 'verifier' ? VERIFIER : PASSWORDS.app;
    for (const [secret, nextSecret] of [
      [sealed, good],
      [good, sealed],
    ] as const) {
      const folder = await measuredFolder(t, withLogin(login, { nextSecret: 'database/app.next' }));
      await seal(folder, 'database/app.sealed', secret, databaseUserContext('app'));
      await seal(folder, 'database/app.next', nextSecret, databaseUserContext('app'));
      const error = await rejectsCode(() => start(folder).running, KeystoreError, 'KEYSTORE_SEALED_FILE');
      t.match(error.message, `does not hold the ${what} of database user app`);
      t.match(error.message, secret === sealed ? 'database/app.sealed' : 'database/app.next');
      t.notMatch(`${error.message} ${error.found}`, /pässword|\$4096/);
    }
  });

t.test('opens the TLS key alone where there are no users', async (t) => {
  const database = { serverName: 'db.internal' };
  const { running } = start(await measuredFolder(t, { database, ingress: { tls: 'passthrough' } }));
  const { keys, serverKey } = await running;
  const { databaseSecrets } = keys.current;
  t.equal(databaseSecrets.size, 0);
  t.equal(
    serverKey.use((bytes) => bytes.toString()),
    'key',
  );
});

const DAMAGES: Readonly<Record<string, (folder: string) => Promise<void> | void>> = {
  'is not there': (folder) => rmSync(join(folder, 'database/app.sealed')),
  'was never sealed': (folder) => writeFileSync(join(folder, 'database/app.sealed'), PASSWORDS.app),
  'is of another user': (folder) =>
    renameSync(join(folder, 'database/of-reports'), join(folder, 'database/app.sealed')),
  'is the TLS key': (folder) => seal(folder, 'database/app.sealed', 'key', TLS_KEY_CONTEXT),
  'has two lines': (folder) => seal(folder, 'database/app.sealed', `${PASSWORDS.app}\nx`, databaseUserContext('app')),
  'is longer than a password': (folder) =>
    seal(folder, 'database/app.sealed', 'x'.repeat(1025), databaseUserContext('app')),
};
for (const [what, damage] of Object.entries(DAMAGES))
  t.test(`rejects a sealed password that ${what} (KEYSTORE_SEALED_FILE)`, async (t) => {
    const folder = await measuredFolder(t, {});
    await damage(folder);
    const { running, logger } = start(folder);
    const error = await rejectsCode(() => running, KeystoreError, 'KEYSTORE_SEALED_FILE');
    t.match(error.message, 'database/app.sealed');
    t.notMatch(`${error.message} ${error.found} ${JSON.stringify(logger.records)}`, /pässword|xxx/);
  });

t.test('rejects a client of a user that has no keys, by its name (KEYSTORE_KEY_MISSING)', async (t) => {
  const users = [{ name: 'app', clients: [CLIENT, 'CN=nobody'] }, USERS[1]];
  const folder = await measuredFolder(t, { database: { serverName: 'db.internal', users } });
  const error = await rejectsCode(() => start(folder).running, KeystoreError, 'KEYSTORE_KEY_MISSING');
  t.match(error.message, 'client "CN=nobody" (database user app) has no keys');
  t.notMatch(error.message, 'billing');
});
