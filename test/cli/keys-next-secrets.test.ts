/** `keys new` and `keys seal` where a user has two secrets, and where they are verifiers: each in its place, and nothing mixed up. */
import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { makeVerifier } from '../../postgres/scram/verifier.ts';
import { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { acraEnclave } from './support/acra-enclave.ts';
import type { KeysFolder } from './support/keys-folder.ts';
import { keysFolder } from './support/keys-folder.ts';
import { changeYaml, ofKeys, openPassword, PASSWORDS, USERS } from './support/users-folder.ts';

const NEXT = 'database/app.next.sealed';
const CONTEXT = 'database/user/app';
const verifierOf = async (password: string) =>
  (await makeVerifier(SecretBuffer.take(Buffer.from(password)), seededRandom(password))).toString();
const VERIFIERS = { now: await verifierOf('now'), next: await verifierOf('next') };

const fresh = await keysFolder(t);

/** With one user, and a login. */
function folderWith(t: Test, login: string, nextSecret?: string): KeysFolder {
  const folder = fresh.copy(t);
  const user = { ...USERS[0], ...(nextSecret === undefined ? {} : { nextSecret }) };
  changeYaml(folder, ({ database }) => ({
    ingress: { tls: 'terminate' },
    database: { ...database, login, users: [user] },
  }));
  return folder;
}

const given = (folder: KeysFolder, text: string) => ['--database-user', `app=${folder.write('now', text)}`];
const next = (folder: KeysFolder, text: string) => ['--next-database-user', `app=${folder.write('next', text)}`];

t.test('seals both for the same user, so that the next one can take the place of the first', async (t) => {
  const folder = folderWith(t, 'certificate', NEXT);
  const made = await folder.keys('new', ...ofKeys(folder), ...given(folder, PASSWORDS.app), ...next(folder, 'later\n'));
  t.equal(made.code, 0, made.stderr);
  t.equal(await openPassword(folder, 'database/app.sealed', CONTEXT), PASSWORDS.app);
  t.equal(await openPassword(folder, NEXT, CONTEXT), 'later');
  renameSync(join(folder.enclave, NEXT), join(folder.enclave, 'database/app.sealed'));
  t.equal(await openPassword(folder, 'database/app.sealed', CONTEXT), 'later');
});

t.test('seals the next one later, which config check names until then', async (t) => {
  const folder = folderWith(t, 'certificate');
  t.equal((await folder.keys('new', ...ofKeys(folder), ...given(folder, PASSWORDS.app))).code, 0);
  const first = readFileSync(join(folder.enclave, 'database/app.sealed'));
  changeYaml(folder, ({ database }) => ({ database: { ...database, users: [{ ...USERS[0], nextSecret: NEXT }] } }));
  const check = () => acraEnclave(['config', 'check', join(folder.enclave, 'enclave.yaml')]);
  t.match((await check()).stdout, `not there yet ${NEXT}: the sealed next password of database user app`);
  const sealed = await folder.keys('seal', ...next(folder, 'later'));
  t.equal(sealed.code, 0, sealed.stderr);
  t.match(sealed.stdout, NEXT);
  t.equal(await openPassword(folder, NEXT, CONTEXT), 'later');
  t.same(readFileSync(join(folder.enclave, 'database/app.sealed')), first);
  t.notMatch((await check()).stdout, 'not there yet');
});

t.test('seals verifiers where clients keep their passwords', async (t) => {
  const folder = folderWith(t, 'verifier', NEXT);
  const files = [...given(folder, `${VERIFIERS.now}\n`), ...next(folder, VERIFIERS.next)];
  const made = await folder.keys('new', ...ofKeys(folder), ...files);
  t.equal(made.code, 0, made.stderr);
  t.match(made.stdout, 'the verifier of database user app');
  t.equal(await openPassword(folder, 'database/app.sealed', CONTEXT), VERIFIERS.now);
  t.equal(await openPassword(folder, NEXT, CONTEXT), VERIFIERS.next);
});

interface Refusal {
  readonly what: string;
  readonly code: string;
  readonly says: string;
  readonly login?: string;
  readonly nextSecret?: string;
  readonly files: (folder: KeysFolder) => readonly string[];
}

const REFUSED: readonly Refusal[] = [
  {
    what: 'a password where a verifier belongs',
    code: 'KEY_VERIFIER_INVALID',
    says: '--database-user app: the file holds no verifier',
    login: 'verifier',
    files: (folder) => given(folder, PASSWORDS.app),
  },
  {
    what: 'a verifier of MD5',
    code: 'KEY_VERIFIER_INVALID',
    says: 'SELECT rolpassword FROM pg_authid',
    login: 'verifier',
    files: (folder) => given(folder, `md5${'0'.repeat(32)}`),
  },
  {
    what: 'a password as the next verifier',
    code: 'KEY_VERIFIER_INVALID',
    says: '--next-database-user app: the file holds no verifier',
    login: 'verifier',
    nextSecret: NEXT,
    files: (folder) => [...given(folder, VERIFIERS.now), ...next(folder, PASSWORDS.app)],
  },
  {
    what: 'a verifier where a password belongs',
    code: 'KEY_PASSWORD_INVALID',
    says: 'it is a verifier, which database.login: verifier would need',
    files: (folder) => given(folder, VERIFIERS.now),
  },
  {
    what: 'a next secret that enclave.yaml has no place for',
    code: 'KEY_DATABASE_USER',
    says: '--next-database-user app: enclave.yaml has no nextSecret for this user',
    files: (folder) => [...given(folder, PASSWORDS.app), ...next(folder, 'later')],
  },
  {
    what: 'a next secret that enclave.yaml names and nobody gives',
    code: 'KEY_DATABASE_USER',
    says: '--next-database-user app=FILE: the next password of this user is not given',
    nextSecret: NEXT,
    files: (folder) => given(folder, PASSWORDS.app),
  },
];
for (const { what, code, says, login = 'certificate', nextSecret, files } of REFUSED)
  t.test(`keys new rejects ${what}, tells no secret and leaves everything as it was (${code})`, async (t) => {
    const folder = folderWith(t, login, nextSecret);
    const before = folder.content();
    const outcome = await folder.keys('new', ...ofKeys(folder), ...files(folder));
    t.match(outcome, { code: 78, stderr: `error ${code}:` });
    t.match(outcome.stderr, says);
    for (const secret of [PASSWORDS.app, 'later', ...Object.values(VERIFIERS), '0000'])
      t.notMatch(outcome.stdout + outcome.stderr, secret);
    t.same(folder.content(), before);
  });
