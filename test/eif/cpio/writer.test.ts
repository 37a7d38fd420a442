/** Archives of the kernel's newc form: linuxkit's bytes, an order of our own, and what other programs read in them. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { writeBootstrapRamdisk } from '../../../eif/cpio/bootstrap.ts';
import type { CpioItem } from '../../../eif/cpio/manifest.ts';
import { writeCpio } from '../../../eif/cpio/writer.ts';
import { EifError } from '../../../eif/errors.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { collect } from '../support/bytes.ts';
import { vector } from '../support/vectors.ts';

const mtimeS = 1_492_533_000;
const INIT = { bytes: Buffer.from('init'.repeat(100)) };
const MODULE = { bytes: Buffer.from('module') };
const file = (name: string, text: string, mode = 0o644): CpioItem => ({
  type: 'file',
  name,
  mode,
  source: { bytes: Buffer.from(text) },
});
const MIXED: readonly CpioItem[] = [
  { type: 'directory', name: 'dev', mode: 0o755, mtimeS },
  { type: 'file', name: 'init', mode: 0o755, mtimeS, source: INIT },
  { type: 'file', name: 'nsm.ko', mode: 0o755, mtimeS, source: MODULE },
  { type: 'symlink', name: 'link', mode: 0o777, mtimeS, target: '/proc/mounts' },
  { type: 'character', name: 'dev/null', mode: 0o666, mtimeS, major: 1, minor: 3, uid: 7 },
  { type: 'file', name: 's', mode: 0o4755, mtimeS, uid: 1000, source: { bytes: Buffer.from('x') } },
];

t.test('writes the bootstrap ramdisk of nitro-cli byte for byte', async (t) => {
  const archive = await collect(writeBootstrapRamdisk({ init: INIT, nsmModule: MODULE }));
  t.same(archive, readFileSync(vector('linuxkit-bootstrap.cpio')));
});

t.test("writes every kind of entry as linuxkit's writer does", async (t) => {
  t.same(await collect(writeCpio(MIXED, 'given')), readFileSync(vector('linuxkit-mixed.cpio')));
});

t.test('sorts entries by the bytes of their names, folders before what is in them', async (t) => {
  const items = [file('b', '2'), file('a-b', '1'), file('a/é', '4'), file('a/z', '3')];
  const folder: CpioItem = { type: 'directory', name: 'a', mode: 0o755 };
  const sorted = await collect(writeCpio([...items, folder], 'sorted'));
  t.same(sorted, await collect(writeCpio([folder, ...items.toReversed()], 'sorted')));
  const names = [...sorted.toString().matchAll(/0{8}(a|a-b|a\/z|a\/é|b)\0/g)].map(([, name]) => name);
  t.same(names, ['a', 'a-b', 'a/z', 'a/é', 'b']);
});

t.test('numbers inodes one after the other, the trailer included, and ends on 512 bytes', async (t) => {
  const archive = await collect(writeCpio([file('a', ''), file('b', '')], 'sorted'));
  const inodes = [...archive.toString('latin1').matchAll(/070701([0-9a-f]{8})/g)].map(([, hex]) =>
    Number.parseInt(hex!, 16),
  );
  t.same(inodes, [721, 722, 723]);
  t.equal(archive.length % 512, 0);
});

t.test('keeps the bytes of an archive free of the times, owners and modes of its sources', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'one'), 'text', { mode: 0o600 });
  writeFileSync(join(folder, 'two'), 'text', { mode: 0o755 });
  symlinkSync('one', join(folder, 'three'));
  const digests = ['one', 'two', 'three'].map(async (name) => {
    const item: CpioItem = { type: 'file', name: 'text', mode: 0o444, source: { path: join(folder, name) } };
    return createHash('sha256')
      .update(await collect(writeCpio([item], 'sorted')))
      .digest('hex');
  });
  t.equal(new Set(await Promise.all(digests)).size, 1);
});

t.test('writes a file of many pieces', async (t) => {
  const path = join(temporaryFolder(t), 'large');
  const bytes = Buffer.alloc(1_000_001, 'piece');
  writeFileSync(path, bytes);
  const archive = await collect(writeCpio([{ type: 'file', name: 'large', mode: 0o644, source: { path } }], 'sorted'));
  t.same(archive.subarray(116, 116 + bytes.length), bytes);
});

t.test('rejects a source that cannot be read (EIF_FILE_READ)', async () => {
  const item: CpioItem = { type: 'file', name: 'a', mode: 0o644, source: { path: '/nonexistent' } };
  await rejectsCode(() => collect(writeCpio([item], 'sorted')), EifError, 'EIF_FILE_READ');
});

t.test('rejects a source that becomes shorter while it is read (EIF_FILE_CHANGED)', async (t) => {
  const path = join(temporaryFolder(t), 'shrinking');
  writeFileSync(path, Buffer.alloc(2_000_000));
  const item: CpioItem = { type: 'file', name: 'a', mode: 0o644, source: { path } };
  const run = async () => {
    for await (const _piece of writeCpio([item], 'sorted')) truncateSync(path, 10);
  };
  await rejectsCode(run, EifError, 'EIF_FILE_CHANGED');
});

t.test('keeps a stream of known length, and rejects one of another length (EIF_FILE_CHANGED)', async (t) => {
  async function* pieces() {
    yield Buffer.from('ab');
    yield Buffer.from('cd');
  }
  const archive = (size: number) =>
    collect(writeCpio([{ type: 'file', name: 'stream', mode: 0o644, source: { size, pieces: pieces() } }], 'sorted'));
  const bytes: CpioItem = { type: 'file', name: 'stream', mode: 0o644, source: { bytes: Buffer.from('abcd') } };
  t.same(await archive(4), await collect(writeCpio([bytes], 'sorted')));
  for (const size of [0, 3, 5]) await rejectsCode(() => archive(size), EifError, 'EIF_FILE_CHANGED');
});

const hasCpio = spawnSync('cpio', ['--version']).status === 0;

t.test('lists in GNU cpio as it was written', { skip: hasCpio ? false : 'GNU cpio is not installed' }, async (t) => {
  const listing = execFileSync('cpio', ['-itvn', '--quiet'], {
    input: await collect(writeCpio(MIXED, 'given')),
    env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' },
  });
  const lines = listing
    .toString()
    .trim()
    .split('\n')
    .map((line) => line.split(/\s+/).join(' '));
  t.same(lines, [
    'drwxr-xr-x 2 0 0 0 Apr 18 2017 dev',
    '-rwxr-xr-x 1 0 0 400 Apr 18 2017 init',
    '-rwxr-xr-x 1 0 0 6 Apr 18 2017 nsm.ko',
    'lrwxrwxrwx 1 0 0 12 Apr 18 2017 link -> /proc/mounts',
    'crw-rw-rw- 1 7 0 1, 3 Apr 18 2017 dev/null',
    '-rwsr-xr-x 1 1000 0 1 Apr 18 2017 s',
  ]);
});

t.test(
  'makes further names of a file hard links, as GNU cpio unpacks them',
  { skip: hasCpio ? false : 'GNU cpio is not installed' },
  async (t) => {
    const folder = temporaryFolder(t);
    const link = (name: string): CpioItem => ({ type: 'hardlink', name, to: 'a' });
    const archive = await collect(
      writeCpio([link('c'), file('a', 'once', 0o640), link('b'), file('d', 'x')], 'sorted'),
    );
    t.equal(archive.toString().split('once').length, 2, 'the contents are there once');
    execFileSync('cpio', ['--extract', '--quiet'], { cwd: folder, input: archive });
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => statSync(join(folder, name)));
    t.same([b?.ino, c?.ino], [a?.ino, a?.ino]);
    t.match(
      { links: a?.nlink, mode: a?.mode, size: c?.size, other: d?.nlink },
      { links: 3, mode: 0o100640, size: 4, other: 1 },
    );
  },
);
