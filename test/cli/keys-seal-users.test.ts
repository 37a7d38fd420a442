/** `keys seal` with passwords of database users: one later, one more, all or nothing. */
import { join } from 'node:path';
import t from 'tap';
import { acraEnclave } from './support/acra-enclave.ts';
import { keysFolder, openSealedKey } from './support/keys-folder.ts';
import { ofKeys, openPassword, PASSWORDS, passwordOptions, SECRETS, setUsers, USERS } from './support/users-folder.ts';

/** A folder after its ceremony; tests copy it. */
const done = await keysFolder(t);
setUsers(done, USERS);
t.equal((await done.keys('new', ...ofKeys(done), ...passwordOptions(done))).code, 0);

t.test('replaces one password and leaves all else as it was', async (t) => {
  const folder = done.copy(t);
  const { [SECRETS.app]: _, ...others } = folder.content();
  const sealed = await folder.keys('seal', ...passwordOptions(folder, { app: 'changed\n' }));
  t.equal(sealed.code, 0, sealed.stderr);
  t.match(sealed.stdout, /sealed .*database\/app\.sealed/);
  t.notMatch(sealed.stdout + sealed.stderr, 'changed');
  t.equal(await openPassword(folder, SECRETS.app, 'database/user/app'), 'changed');
  t.match(folder.content(), others);
});

t.test('seals the password of a user who is new in enclave.yaml; until then config check names it', async (t) => {
  const folder = done.copy(t);
  setUsers(folder, [...USERS, { ...USERS[0], name: 'third', secret: 'new/third' }]);
  const file = join(folder.enclave, 'enclave.yaml');
  const before = await acraEnclave(['config', 'check', file, '--json']);
  t.match(JSON.parse(before.stdout), { missing: ['new/third'] });
  const sealed = await folder.keys('seal', '--json', ...passwordOptions(folder, { third: '3' }));
  t.equal(sealed.code, 0, sealed.stderr);
  t.match(JSON.parse(sealed.stdout), { sealedSecrets: [join(folder.enclave, 'new/third')] });
  t.equal(await openPassword(folder, 'new/third', 'database/user/third'), '3');
  const after = await acraEnclave(['config', 'check', file, '--json']);
  t.match(JSON.parse(after.stdout), { missing: [] });
});

t.test('seals a password and the TLS key in one step', async (t) => {
  const folder = done.copy(t);
  const options = ['--server-key', folder.serverKey, ...passwordOptions(folder, { app: 'changed' })];
  const sealed = await folder.keys('seal', ...options);
  t.equal(sealed.code, 0, sealed.stderr);
  t.equal(await openPassword(folder, SECRETS.app, 'database/user/app'), 'changed');
  t.equal(await openSealedKey(folder), folder.server.keyPem);
});

t.test('rejects what it cannot seal and leaves everything as it was', async (t) => {
  const folder = done.copy(t);
  const before = folder.content();
  for (const [options, code] of [
    [[], 'CLI_OPTION'],
    [passwordOptions(folder, { nobody: 'x' }), 'KEY_DATABASE_USER'],
    [['--database-user', `app=${folder.write('empty', '')}`], 'KEY_PASSWORD_INVALID'],
    [['--database-user', `app=${PASSWORDS.app}`], 'KEY_PASSWORD_READ'],
    [['--server-key', '/nowhere', ...passwordOptions(folder)], 'KEY_FILE_READ'],
  ] as const) {
    const outcome = await folder.keys('seal', ...options);
    t.not(outcome.code, 0);
    t.match(outcome.stderr, `error ${code}:`);
    t.notMatch(outcome.stderr, PASSWORDS.app);
  }
  t.same(folder.content(), before);
});
