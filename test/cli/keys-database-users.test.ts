/** `keys new` and `keys seal` with passwords of database users, as a user runs them: all or nothing, and no password is ever told. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Outcome } from './support/acra-enclave.ts';
import { acraEnclave } from './support/acra-enclave.ts';
import type { KeysFolder } from './support/keys-folder.ts';
import { keysFolder } from './support/keys-folder.ts';
import { ofKeys, openPassword, PASSWORDS, passwordOptions, SECRETS, setUsers, USERS } from './support/users-folder.ts';

const fresh = await keysFolder(t);
setUsers(fresh, USERS);

/** In clear and in the encodings that programs print. */
function tellsPassword({ stdout, stderr }: Outcome, passwords: readonly string[] = Object.values(PASSWORDS)): boolean {
  const told = stdout + stderr;
  return passwords.some((password) => {
    const bytes = Buffer.from(password);
    return [password, bytes.toString('hex'), bytes.toString('base64')].some((form) => told.includes(form));
  });
}

t.test('seals the password of each user, without its line break, and config check finds nothing missing', async (t) => {
  const folder = fresh.copy(t);
  const options = passwordOptions(folder, { app: `${PASSWORDS.app}\n`, reports: `${PASSWORDS.reports}\r\n` });
  const made = await folder.keys('new', ...ofKeys(folder), ...options);
  t.equal(made.code, 0, made.stderr);
  t.match(made.stdout, 'the password of database user app');
  t.notOk(tellsPassword(made));
  t.equal(await openPassword(folder, SECRETS.app, 'database/user/app'), PASSWORDS.app);
  t.equal(await openPassword(folder, SECRETS.reports, 'database/user/reports'), PASSWORDS.reports);
  t.equal(await openPassword(folder, SECRETS.app, 'database/user/reports'), undefined, 'for no other user');
  const checked = await acraEnclave(['config', 'check', join(folder.enclave, 'enclave.yaml'), '--json']);
  t.match(JSON.parse(checked.stdout), { valid: true, missing: [], warnings: [] });
});

t.test('takes several users behind one option, and a name with = in it', async (t) => {
  const folder = fresh.copy(t);
  setUsers(folder, [...USERS, { ...USERS[1], name: 'app=1', secret: 'database/third' }]);
  const files = ['app', 'reports', 'app=1'].map((name) => `${name}=${folder.write(`passwords/${name}`, name)}`);
  const made = await folder.keys('new', ...ofKeys(folder), '--json', '--database-user', ...files);
  t.equal(made.code, 0, made.stderr);
  t.match(JSON.parse(made.stdout), { databaseUsers: ['app', 'reports', 'app=1'] });
  t.equal(await openPassword(folder, 'database/third', 'database/user/app=1'), 'app=1');
  t.equal(await openPassword(folder, SECRETS.app, 'database/user/app'), 'app');
});

t.test('takes the longest password that there may be, with a line break', async (t) => {
  const folder = fresh.copy(t);
  const app = 'x'.repeat(1024);
  const made = await folder.keys(
    'new',
    ...ofKeys(folder),
    ...passwordOptions(folder, { ...PASSWORDS, app: `${app}\r\n` }),
  );
  t.equal(made.code, 0, made.stderr);
  t.equal(await openPassword(folder, SECRETS.app, 'database/user/app'), app);
});

interface Refusal {
  readonly what: string;
  readonly code: string;
  readonly says?: string;
  readonly options: (folder: KeysFolder) => readonly string[];
}

const replaced = (app: string | Buffer) => (folder: KeysFolder) => passwordOptions(folder, { ...PASSWORDS, app });
const REFUSED: readonly Refusal[] = [
  {
    what: 'a user without a password',
    code: 'KEY_DATABASE_USER',
    says: '--database-user reports=FILE: the password of this user is not given',
    options: (folder) => passwordOptions(folder, { app: PASSWORDS.app }),
  },
  {
    what: 'a user that enclave.yaml does not have',
    code: 'KEY_DATABASE_USER',
    says: '--database-user other: enclave.yaml has no such user; allowed: app, reports',
    options: (folder) => passwordOptions(folder, { ...PASSWORDS, other: 'secret' }),
  },
  {
    what: 'a user twice',
    code: 'KEY_DATABASE_USER',
    says: '--database-user app: it is given twice',
    options: (folder) => [...passwordOptions(folder), ...passwordOptions(folder, { app: PASSWORDS.app })],
  },
  {
    what: 'a value without a user',
    code: 'KEY_DATABASE_USER',
    says: 'a value is not of this form',
    options: (folder) => [...passwordOptions(folder), '--database-user', PASSWORDS.app],
  },
  {
    what: 'the password itself in the place of its file',
    code: 'KEY_PASSWORD_READ',
    says: '--database-user app: the file cannot be read; found: ENOENT',
    options: (folder) => [
      ...passwordOptions(folder, { reports: PASSWORDS.reports }),
      '--database-user',
      `app=${PASSWORDS.app}`,
    ],
  },
  {
    what: 'a folder in the place of the file',
    code: 'KEY_PASSWORD_READ',
    says: 'EISDIR',
    options: (folder) => {
      mkdirSync(join(folder.enclave, '../empty'));
      return [
        ...passwordOptions(folder, { reports: 'x' }),
        '--database-user',
        `app=${join(folder.enclave, '../empty')}`,
      ];
    },
  },
  { what: 'an empty file', code: 'KEY_PASSWORD_INVALID', says: 'it is empty', options: replaced('') },
  { what: 'an empty line', code: 'KEY_PASSWORD_INVALID', says: 'it is empty', options: replaced('\n') },
  {
    what: 'two line breaks',
    code: 'KEY_PASSWORD_INVALID',
    says: 'more than one line',
    options: replaced(`${PASSWORDS.app}\n\n`),
  },
  {
    what: 'two lines',
    code: 'KEY_PASSWORD_INVALID',
    says: 'more than one line',
    options: replaced(`a\n${PASSWORDS.app}`),
  },
  {
    what: 'a CR at the end',
    code: 'KEY_PASSWORD_INVALID',
    says: 'more than one line',
    options: replaced(`${PASSWORDS.app}\r`),
  },
  { what: 'a zero byte', code: 'KEY_PASSWORD_INVALID', says: 'zero byte', options: replaced(`${PASSWORDS.app}\0`) },
  {
    what: 'text in UTF-16',
    code: 'KEY_PASSWORD_INVALID',
    says: 'zero byte',
    options: replaced(Buffer.from(PASSWORDS.app, 'utf16le')),
  },
  {
    what: '1,025 bytes',
    code: 'KEY_PASSWORD_INVALID',
    says: 'longer than 1024 bytes',
    options: replaced('x'.repeat(1025)),
  },
  {
    what: 'a large file',
    code: 'KEY_PASSWORD_INVALID',
    says: 'longer than 1024 bytes',
    options: replaced(Buffer.alloc(1_000_000, 'x')),
  },
];
for (const { what, code, says = '', options } of REFUSED)
  t.test(`keys new rejects ${what}, tells no password and leaves everything as it was (${code})`, async (t) => {
    const folder = fresh.copy(t);
    const before = folder.content();
    const outcome = await folder.keys('new', ...ofKeys(folder), ...options(folder));
    t.equal(outcome.code, 78, outcome.stderr);
    t.match(outcome.stderr, `error ${code}:`);
    t.match(outcome.stderr, says);
    t.match(outcome.stderr, 'what to do:');
    t.notOk(tellsPassword(outcome), outcome.stderr);
    t.same(folder.content(), before);
  });

t.test('tells all that is wrong with users at once, the server key among it', async (t) => {
  const folder = fresh.copy(t);
  const options = ['--server-key', folder.write('x.key', ''), '--client', folder.firstClient];
  const outcome = await folder.keys('new', ...options, ...passwordOptions(folder, { app: '', other: 'secret' }));
  t.match(outcome.stderr, '4 things are wrong');
  for (const told of ['KEY_FILE_INVALID', 'KEY_PASSWORD_INVALID', 'no such user', 'reports=FILE']) {
    t.match(outcome.stderr, told);
  }
  t.notMatch(outcome.stderr, 'secret');
});

t.test('rejects a user where there are none, TLS ending in acra-server (KEY_DATABASE_USER)', async (t) => {
  const folder = (await keysFolder(t)).copy(t);
  const outcome = await folder.keys('new', ...ofKeys(folder), ...passwordOptions(folder, { app: PASSWORDS.app }));
  t.match(outcome, { code: 78, stderr: 'allowed: none: enclave.yaml has no database.users' });
});

t.test('rejects a client of a user that gets no keys, by name (KEYSTORE_KEY_MISSING)', async (t) => {
  const folder = fresh.copy(t);
  setUsers(folder, [...USERS, { name: 'third', clients: ['CN=nobody', 'CN=first application'] }]);
  const before = folder.content();
  const options = passwordOptions(folder, { ...PASSWORDS, third: 'x' });
  const outcome = await folder.keys('new', ...ofKeys(folder), ...options);
  t.match(outcome, { code: 78, stderr: 'error KEYSTORE_KEY_MISSING: enclave.yaml names clients that get no keys' });
  t.match(outcome.stderr, 'found: "CN=nobody" (database user third)');
  t.same(folder.content(), before);
});

t.test('rejects a password without a folder to lie in, where a file is in its place (KEY_OUTPUT_WRITE)', async (t) => {
  const folder = fresh.copy(t);
  folder.write('enclave/secrets', 'a file where a folder should be');
  const before = folder.content();
  const outcome = await folder.keys('new', ...ofKeys(folder), ...passwordOptions(folder));
  t.match(outcome.stderr, 'error KEY_OUTPUT_WRITE:');
  t.notOk(tellsPassword(outcome));
  t.same(folder.content(), before);
  t.notOk(existsSync(join(folder.enclave, 'database')));
});

t.test('rejects a sealed password that is there already (KEY_OUTPUT_EXISTS)', async (t) => {
  const folder = fresh.copy(t);
  folder.write('enclave/database/app.sealed', 'precious');
  const before = folder.content();
  const outcome = await folder.keys('new', ...ofKeys(folder), ...passwordOptions(folder));
  t.match(outcome.stderr, 'error KEY_OUTPUT_EXISTS:');
  t.same(folder.content(), before);
});

for (const secret of ['tls/server.pem', 'keystore/app', 'master-key.json', 'enclave.yaml', 'tls/server.key.sealed'])
  t.test(`rejects ${secret} as the place of a password (KEY_OUTPUT_PLACE)`, async (t) => {
    const folder = fresh.copy(t);
    setUsers(folder, [USERS[1] ?? {}, { ...USERS[0], secret }]);
    const outcome = await folder.keys('new', ...ofKeys(folder), ...passwordOptions(folder));
    t.match(outcome, { code: 78, stderr: 'KEY_OUTPUT_PLACE' });
    t.match(outcome.stderr, 'database.users.1.secret');
  });
