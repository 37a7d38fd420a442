/** Two of three operators, each on a machine of his own: what they are shown, what their signatures are good for. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { canonicalJson } from '../../../encoding/canonical-json.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { changeYaml } from '../support/users-folder.ts';
import { keptKeys } from './support/kept-keys.ts';

const parts = await keptKeys(t, ['alice', 'bob', 'carol'], { approvals: 2, keys: { approvals: 2, pin: 'policy' } });
const { folder, enclave, machine, keys, proof, startDaemon, run, approve } = parts;
const [alice = '', bob = ''] = keys;
await startDaemon();
await machine.connect();
const request = join(temporaryFolder(t), 'request.json');
const PASSWORD = 'pässword of app';

t.test('refuses to do in one go what two must sign (CLI_OPTION)', async (t) => {
  const words = ['--enclave', folder.enclave, '--key', alice, ...proof, '--client', folder.firstClient];
  t.match((await run('ceremony', ...words)).stderr, /CLI_OPTION.*2 of 3 operators must sign/);
});

t.test('a request goes from operator to operator, and the enclave does it when two have signed', async (t) => {
  const password = folder.write('password', `${PASSWORD}\n`);
  const written = await run(
    'ceremony',
    ...['--enclave', folder.enclave, '--key', alice, '--out', request, ...proof],
    ...['--client', folder.firstClient, '--database-user', `app=${password}`],
  );
  t.equal(written.code, 0, written.stderr);
  t.match(written.stdout, 'signed by alice; 1 more of bob, carol must sign');
  t.notMatch(readFileSync(request, 'utf8'), Buffer.from(PASSWORD).toString('base64'));

  const early = await run('submit', request, ...proof);
  t.match(early.stderr, 'KEY_REQUEST_UNAPPROVED');
  t.equal(enclave.taken, undefined);

  const unasked = await approve(request, '--enclave', folder.enclave, '--key', bob);
  t.match(unasked.stderr, /CLI_OPTION.*nobody is asked/);
  t.match(unasked.stdout, /make the first keys[\s\S]*"CN=first application"[\s\S]*"app", encrypted to this enclave/);
  t.notMatch(unasked.stdout + unasked.stderr, PASSWORD);
  const approved = await approve(request, '--enclave', folder.enclave, '--key', bob, '--yes');
  t.match(approved.stdout, /as bob: signed by alice, bob: enough/, approved.stderr);

  const twice = await approve(request, '--enclave', folder.enclave, '--key', bob, '--yes');
  t.equal(twice.code, 1);
  t.match(twice.stderr, /CLI_OPTION.*bob has signed it already.*the key of carol/);

  const submitted = await run('submit', request, ...proof, '--enclave', folder.enclave);
  t.equal(submitted.code, 0, submitted.stderr);
  t.match(submitted.stdout, /generation 1[\s\S]*policy print --generation 1/);
  t.notMatch(submitted.stdout, 'ALTER ROLE', 'the password was given, and nobody need be told it');
  t.equal(enclave.opened.get('app'), PASSWORD, 'the enclave can read it');
});

t.test('a request cannot be used twice, nor at another boot (KEY_REQUEST_STALE)', async (t) => {
  t.match((await run('submit', request)).stderr, /KEY_REQUEST_STALE|HOST_KEYS_NOT_TAKEN/);
  const again = join(temporaryFolder(t), 'again.json');
  await run('rotate', 'master', '--enclave', folder.enclave, '--key', alice, '--out', again, ...proof);
  await approve(again, '--enclave', folder.enclave, '--key', bob, '--yes');
  await machine.reboot();
  const { stderr } = await run('submit', again, ...proof);
  t.match(stderr, /KEY_REQUEST_STALE.*another enclave, boot or configuration/);
});

t.test('a request that nobody has signed yet can be written, approved and seen (--out without --key)', async (t) => {
  const unsigned = join(temporaryFolder(t), 'unsigned.json');
  const tls = await run('rotate', 'tls', '--enclave', folder.enclave, '--out', unsigned, ...proof, '--json');
  t.match(JSON.parse(tls.stdout), { signed: [], missing: ['alice', 'bob', 'carol'], approvals: 2 }, tls.stderr);
  for (const key of [alice, bob]) {
    const { stdout } = await approve(unsigned, '--enclave', folder.enclave, '--key', key, '--yes', '--json');
    t.match(JSON.parse(stdout), { out: unsigned, operator: key === alice ? 'alice' : 'bob', approvals: 2 });
  }
  const { stdout, stderr } = await run('submit', unsigned, ...proof);
  t.match(stdout, 'changed the TLS key', stderr);
});

t.test('shows an operator who signs whatever a name has in it, and lets no terminal obey it', async (t) => {
  const { payload, ...envelope } = JSON.parse(readFileSync(request, 'utf8'));
  const content = JSON.parse(Buffer.from(payload, 'base64').toString());
  const user = 'a\u009b1A\u009b2K\u202eb\u200bc';
  content.action = { kind: 'settle-database', user };
  const changed = Buffer.from(canonicalJson(content)).toString('base64');
  const file = folder.write('odd.json', JSON.stringify({ ...envelope, payload: changed, signatures: [] }));
  const { stdout } = await approve(file, '--enclave', folder.enclave, '--key', bob, '--yes');
  t.match(stdout, '"a\\x9b1A\\x9b2K\\u{202e}b\\u{200b}c"');
  t.notMatch(stdout, /[\u0080-\u009f\u200b\u202e]/);
});

t.test('tells what pins the keys of the enclave that runs, though enclave.yaml says more since', async (t) => {
  const well = await run('status', '--enclave', folder.enclave);
  t.match(well.stdout, /pinned +by the key policy/);
  t.notMatch(well.stdout, 'another keys.pin');
  const changed = folder.copy(t);
  const pin = enclave.takenSha256 ?? '';
  changeYaml(changed, ({ keys: section }) => ({ keys: { ...section, pin, ceremony: 'refused' } }));
  const { stdout } = await run('status', '--enclave', changed.enclave);
  t.match(stdout, new RegExp(`pinned +by the key policy[\\s\\S]*another keys.pin than --enclave has: ${pin}`));
  const asJson = await run('status', '--enclave', changed.enclave, '--json');
  t.match(JSON.parse(asJson.stdout), { pin: 'policy', rollbackExcluded: false });
});

t.test('on the parent a request is handed in unjudged, and that is said', async (t) => {
  const file = join(temporaryFolder(t), 'rotate.json');
  await run('rotate', 'database', 'app', '--enclave', folder.enclave, '--key', alice, '--out', file, ...proof);
  await approve(file, '--enclave', folder.enclave, '--key', bob, '--yes');
  const { stdout, code } = await run('submit', file);
  t.equal(code, 0);
  t.match(stdout, 'was not judged here');
});
