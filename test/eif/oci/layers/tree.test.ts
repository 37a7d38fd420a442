/** What layers make together: whiteouts, links, replacements. Specification: OCI image-spec 1.1, layer.md. */
import t from 'tap';
import { OciError } from '../../../../eif/oci/errors.ts';
import { ImageTree } from '../../../../eif/oci/layers/tree.ts';
import { rejectsCode } from '../../../support/coded-error.ts';
import type { TestEntry } from '../support/tar.ts';
import { attributesOf, readImage, treeOf } from '../support/tree.ts';

const file = (name: string, text = name): TestEntry => ({ name, text });
const folder = (name: string, mode = 0o755): TestEntry => ({ name: `${name}/`, type: '5', mode });
const symlink = (name: string, target: string): TestEntry => ({ name, type: '2', target });
const hardlink = (name: string, target: string): TestEntry => ({ name, type: '1', target });

t.test('lets a later layer, and a later entry of the same, replace what was there', async (t) => {
  const tree = await treeOf(t, [file('a', '1'), file('b', '1'), file('b', '2')], [file('./a', '3'), file('/c', '4')]);
  t.same(tree, { a: '3', b: '2', c: '4' });
});

t.test('keeps what is in a folder that comes again, with the later mode', async (t) => {
  const layers = [[folder('d', 0o700), file('d/a')], [folder('d', 0o750)]];
  const { root } = await readImage(t, { layers });
  t.same(attributesOf(root), { d: '750 0:0', 'd/a': '644 0:0' });
});

t.test('lets a file take the place of a folder and all in it, and a folder that of a file or link', async (t) => {
  const tree = await treeOf(
    t,
    [file('d/a'), file('f'), symlink('l', 'd')],
    [file('d', 'file'), folder('f'), file('f/x'), folder('l')],
  );
  t.same(tree, { d: 'file', f: '/', 'f/x': 'f/x', l: '/' });
});

t.test('removes what a whiteout names, of layers below only, wherever it stands', async (t) => {
  const below = [file('d/a'), file('d/b'), file('e/sub/x'), file('f', 'old')];
  const before = [file('d/.wh.a', ''), file('d/a', 'new'), file('.wh.e', ''), file('.wh.f', '')];
  t.same(await treeOf(t, below, before), { d: '/', 'd/a': 'new', 'd/b': 'd/b' });
  const after = [file('d/a', 'new'), file('d/.wh.a', ''), file('e/sub/y'), file('.wh.e', '')];
  const expected = { d: '/', 'd/a': 'new', 'd/b': 'd/b', e: '/', 'e/sub': '/', 'e/sub/y': 'e/sub/y', f: 'old' };
  t.same(await treeOf(t, below, after), expected);
});

t.test('keeps no mode of a folder that a whiteout removed and the same layer fills again', async (t) => {
  const { root } = await readImage(t, {
    layers: [
      [folder('d', 0o700), file('d/a')],
      [file('d/b'), file('.wh.d', '')],
    ],
  });
  t.same(attributesOf(root), { d: '755 0:0', 'd/b': '644 0:0' });
});

t.test('empties a folder of what layers below brought where it is opaque, before and after its own', async (t) => {
  const below = [folder('d', 0o700), file('d/a'), file('d/sub/b'), file('e')];
  const opaque = [file('d/c'), file('d/.wh..wh..opq', ''), file('d/sub/d')];
  for (const layer of [opaque, opaque.toReversed()]) {
    t.same(await treeOf(t, below, layer), {
      d: '/',
      'd/c': 'd/c',
      'd/sub': '/',
      'd/sub/d': 'd/sub/d',
      e: 'e',
    });
  }
});

t.test('takes a whiteout for what is not there as nothing', async (t) => {
  t.same(await treeOf(t, [file('a'), file('.wh.b', '')]), { a: 'a' });
});

t.test('keeps a file that a hard link names when a later layer replaces or removes its first name', async (t) => {
  const below = [file('a', 'one'), hardlink('b', 'a'), hardlink('c', './a')];
  t.same(await treeOf(t, below, [file('a', 'two'), file('.wh.c', '')]), { a: 'two', b: 'one' });
});

t.test('follows a hard link into a layer below, and into folders that are links', async (t) => {
  const below = [file('usr/lib/a', 'one'), symlink('lib', 'usr/lib'), symlink('s', 'x')];
  t.same(await treeOf(t, below, [hardlink('b', 'lib/a'), hardlink('t', 's')]), {
    usr: '/',
    'usr/lib': '/',
    'usr/lib/a': 'one',
    lib: '→ usr/lib',
    b: 'one',
    s: '→ x',
    t: '→ x',
  });
});

t.test('shares one file between hard links, so that it is in the image once', async (t) => {
  const { root } = await readImage(t, { layers: [[file('a', 'one'), hardlink('b', 'a')]] });
  const [a, b] = ['a', 'b'].map((name) => root.children.get(name));
  t.ok(a?.kind === 'file' && b?.kind === 'file' && a.inode === b.inode);
});

t.test('rejects a hard link to nothing, to a folder, to the root, or to what comes later (EIF_OCI_LINK)', async (t) => {
  for (const entries of [
    [hardlink('b', 'a')],
    [folder('a'), hardlink('b', 'a')],
    [hardlink('b', '/')],
    [hardlink('b', 'a'), file('a')],
  ]) {
    await rejectsCode(() => treeOf(t, entries), OciError, 'EIF_OCI_LINK');
  }
});

t.test('follows links on the way as if the image were the root, so that none leads out', async (t) => {
  const below = [symlink('out', '../../../etc'), symlink('abs', '/srv'), symlink('deep/up', '../..')];
  t.same(await treeOf(t, below, [file('out/a'), file('abs/b'), file('deep/up/c')]), {
    out: '→ ../../../etc',
    abs: '→ /srv',
    deep: '/',
    'deep/up': '→ ../..',
    etc: '/',
    'etc/a': 'out/a',
    srv: '/',
    'srv/b': 'abs/b',
    c: 'deep/up/c',
  });
});

const REFUSED: readonly (readonly [string, readonly TestEntry[]])[] = [
  ['climbs', [file('../a')]],
  ['climbs later', [file('a/../../b')]],
  ['climbs and comes back', [file('a/../b')]],
  ['lies below a file', [file('a'), file('a/b')]],
  ['lies below links without end', [symlink('a', 'b'), symlink('b', 'a'), file('a/c')]],
  ['lies below a link to a file', [file('f'), symlink('a', 'f'), file('a/c')]],
  ['lies below a whiteout', [file('.wh.a/b')]],
  ['is a whiteout of nothing', [file('a/.wh.')]],
  ['is a whiteout of the folder itself', [file('a/.wh..')]],
  ['is a whiteout of the folder above', [file('a/.wh...')]],
  ['is a whiteout of AUFS', [file('.wh..wh.plnk')]],
  ['has a longer name than files can have', [file(`a/${'x'.repeat(256)}`)]],
  ['has a longer path than files can have', [file(`${'long/'.repeat(900)}a`)]],
  ['is a file in the place of the root', [file('.')]],
  ['is a hard link that climbs', [file('a'), hardlink('b', '../a')]],
];

for (const [what, entries] of REFUSED) {
  t.test(`rejects an entry that ${what} (EIF_OCI_PATH)`, async (t) => {
    await rejectsCode(() => treeOf(t, entries), OciError, 'EIF_OCI_PATH');
  });
}

const NO_TARGETS: readonly (readonly [string, TestEntry])[] = [
  ['nothing', { name: 'a', type: '2' }],
  ['what has a NUL', { name: 'a', type: '2', pax: { linkpath: 'b\0c' } }],
  ['more than a path may have', { name: 'a', type: '2', pax: { linkpath: 'x'.repeat(4_096) } }],
  [
    'so many folders that a stack would not hold them',
    { name: 'a', type: '2', pax: { linkpath: '/x'.repeat(300_000) } },
  ],
];
for (const [what, entry] of NO_TARGETS) {
  t.test(
    `rejects a link to ${what}, which the kernel would leave out of the image or cut (EIF_OCI_PATH)`,
    async (t) => {
      await rejectsCode(() => treeOf(t, [entry, { name: 'a/b' }]), OciError, 'EIF_OCI_PATH');
    },
  );
}

t.test('leaves devices and fifos out, and tells which', async (t) => {
  const device = (name: string, type: string): TestEntry => ({ name, type });
  const layers = [[file('dev/x', 'old')], [device('dev/x', '3'), device('dev/sda', '4'), device('run/f', '6')]];
  const read = await readImage(t, { layers });
  t.same(read.leftOut, ['dev/x', 'dev/sda', 'run/f']);
  t.same(Object.keys(attributesOf(read.root)), ['dev', 'run']);
});

t.test('keeps owners and modes, set-id bits included, and the mode of the root', async (t) => {
  const entries: readonly TestEntry[] = [
    { name: './', type: '5', mode: 0o711, uid: 5, gid: 6 },
    { name: 'a', mode: 0o4755, uid: 1_000, gid: 2_000 },
    { name: 'l', type: '2', target: 'a', uid: 7, gid: 8 },
    { name: 'big', pax: { uid: '3000000', gid: '4000000' } },
  ];
  const { root } = await readImage(t, { layers: [entries] });
  t.same(attributesOf(root), { a: '4755 1000:2000', big: '644 3000000:4000000', l: '777 7:8' });
  t.match(root, { mode: 0o711, uid: 5, gid: 6 });
});

t.test('rejects entries that links lead deeper than any path (EIF_OCI_PATH)', async (t) => {
  const deep = 'd/'.repeat(1_200);
  const layer = [folder(deep.slice(0, -1)), symlink('l', deep), file(`l/${'e/'.repeat(1_200)}f`)];
  await rejectsCode(() => treeOf(t, layer), OciError, 'EIF_OCI_PATH');
});

t.test('counts the folders that paths imply (EIF_OCI_LIMIT)', async (t) => {
  const tree = new ImageTree();
  const bare = { mode: 0o644, uid: 0, gid: 0, isCapable: false, attributes: 0 };
  const add = (first: string) =>
    tree.add(0, { ...bare, kind: 'fifo', path: `${first}/${'d/'.repeat(1_800)}f` }, undefined);
  t.throws(
    () => {
      for (let number = 0; number < 600; number += 1) add(String(number));
    },
    { code: 'EIF_OCI_LIMIT' },
  );
});
