/** The key sets on the parent's disk: whole or not there, never overwritten. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { HostProxyError } from '../../../host-proxy/errors.ts';
import { KeyFolder } from '../../../host-proxy/keys/key-folder.ts';
import { keySetDigest } from '../../../keys/set/key-set.ts';
import { rejectsCode, throwsCode } from '../../support/coded-error.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { makerOfSets } from './support/made-sets.ts';

const MAX_PATH_BYTES = 4_095;

function prepared(t: Test) {
  const path = join(temporaryFolder(t), 'keys');
  const folder = new KeyFolder(path);
  folder.prepare();
  return { path, folder, maker: makerOfSets() };
}

t.test('keeps each set as the enclave handed it out, in a folder named by generation and hash', async (t) => {
  const { folder, path, maker } = prepared(t);
  const made = await maker.next();
  const stored = await folder.store(made);
  t.equal(stored.name, `000001-${keySetDigest(made.keySet).slice(0, 16)}`);
  t.same(await folder.read(stored), made);
  t.same(await new KeyFolder(path).list(), { sets: [stored], damaged: [] }, 'another daemon reads the same');
  t.match(stored, { generation: 1, previous: null, action: 'ceremony', clients: 1, approvedBy: { length: 1 } });
});

t.test('lets nobody else read them', async (t) => {
  const { folder, path, maker } = prepared(t);
  const { name } = await folder.store(await maker.next());
  const mode = (...parts: string[]) => statSync(join(path, ...parts)).mode & 0o777;
  t.equal(mode(), 0o700);
  t.equal(mode(name), 0o700);
  for (const file of readdirSync(join(path, name))) t.equal(mode(name, file), 0o600, file);
});

t.test('rejects a folder that others may enter (HOST_KEYS_FOLDER)', (t) => {
  const { folder, path } = prepared(t);
  chmodSync(path, 0o750);
  throwsCode(() => folder.prepare(), HostProxyError, 'HOST_KEYS_FOLDER');
  t.end();
});

t.test('lists generations from the oldest to the newest, and keeps two of one', async (t) => {
  const { folder, maker } = prepared(t);
  await folder.store(await maker.next());
  const [one, other] = [maker.sibling(), maker.sibling()];
  await folder.store(one);
  await folder.store(other);
  const { sets } = await folder.list();
  t.same(
    sets.map(({ generation }) => generation),
    [1, 2, 2],
  );
  t.same(
    new Set(sets.slice(1).map(({ sha256 }) => sha256)),
    new Set([one, other].map((made) => keySetDigest(made.keySet))),
  );
});

t.test('takes the same set again without touching what is there', async (t) => {
  const { folder, path, maker } = prepared(t);
  const made = await maker.next();
  const { name } = await folder.store(made);
  const { ino } = statSync(join(path, name, 'key-set.json'));
  t.equal((await folder.store(made)).name, name);
  t.equal(statSync(join(path, name, 'key-set.json')).ino, ino);
  t.same(readdirSync(path), [name]);
});

t.test('tells sets that are damaged or were not finished, and brings none of them', async (t) => {
  const { folder, path, maker } = prepared(t);
  const whole = await folder.store(await maker.next());
  const broken = await folder.store(await maker.next());
  mkdirSync(join(path, '.partial-00'));
  mkdirSync(join(path, `000009-${'0'.repeat(16)}`));
  truncateSync(join(path, broken.name, 'key-set.json'), 100);
  const { sets, damaged } = await folder.list();
  t.same(
    sets.map(({ name }) => name),
    [whole.name],
  );
  t.same(damaged.map(({ name }) => name).toSorted(), ['.partial-00', broken.name, `000009-${'0'.repeat(16)}`]);
  writeFileSync(join(path, broken.name, 'key-set.json'), '{}');
  const { reason } = (await folder.list()).damaged.find(({ name }) => name === broken.name) ?? {};
  t.match(reason, /^the key set is malformed; found: [^\n]*$/, 'in one line');
});

t.test('tells a set that lies under another’s name', async (t) => {
  const { folder, path, maker } = prepared(t);
  const first = await folder.store(await maker.next());
  const second = await folder.store(await maker.next());
  for (const file of ['key-set.json', 'transcript.json'])
    writeFileSync(join(path, second.name, file), readFileSync(join(path, first.name, file)));
  const { damaged } = await folder.list();
  t.match(damaged, [{ name: second.name, reason: new RegExp(first.name) }]);
});

t.test('puts a damaged set aside when it comes again whole, and deletes nothing', async (t) => {
  const { folder, path, maker } = prepared(t);
  const made = await maker.next();
  const { name } = await folder.store(made);
  truncateSync(join(path, name, 'transcript.json'), 10);
  const stored = await folder.store(made);
  t.same(await folder.read(stored), made);
  const { sets, damaged } = await folder.list();
  t.equal(sets.length, 1);
  t.match(damaged, [{ name: /^\.damaged-/ }]);
});

t.test('says that it could not write, and leaves the sets that are there (HOST_KEYS_WRITE)', async (t) => {
  const { folder, path, maker } = prepared(t);
  const first = await folder.store(await maker.next());
  // So long that a folder in it has no path any more: root, too, fails there.
  const deep = join(path, ...Array.from({ length: 20 }, () => 'x'.repeat(240))).slice(0, MAX_PATH_BYTES - 8);
  mkdirSync(deep, { recursive: true });
  await rejectsCode(async () => new KeyFolder(deep).store(await maker.next()), HostProxyError, 'HOST_KEYS_WRITE');
  t.same((await folder.list()).sets, [first]);
});
