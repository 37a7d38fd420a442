import t from 'tap';
import { AcraError } from '../../../acra/errors.ts';
import { ImageTree } from '../../../acra/obtain/image-tree.ts';
import { readTar } from '../../../acra/obtain/tar.ts';
import { rejectsCode, throwsCode } from '../../support/coded-error.ts';
import type { TarMember } from '../support/tar-writer.ts';
import { makeTar } from '../support/tar-writer.ts';

async function treeOf(members: readonly TarMember[]): Promise<ImageTree> {
  const tree = new ImageTree();
  for (const entry of await readTar(makeTar(members))) tree.add(entry);
  return tree;
}

const text = (tree: ImageTree) => tree.files().map(({ path, content }) => `${path}=${content}`);

t.test('gives plain files only: links become copies, later layers win', async (t) => {
  const tree = await treeOf([
    { path: './lib/libc.so.6', content: 'old' },
    { path: 'lib/libc.so', type: '2', target: 'libc.so.6' },
    { path: 'lib64', type: '2', target: 'lib' },
    { path: '/lib/libc.so.6', content: 'new' },
    { path: 'hard', type: '1', target: 'lib/libc.so.6' },
    { path: 'dangling', type: '2', target: 'nowhere' },
  ]);
  t.same(text(tree), ['hard=new', 'lib/libc.so=new', 'lib/libc.so.6=new']);
});

t.test('follows links as a process in the image would, absolute ones and folders included', async (t) => {
  const tree = await treeOf([
    { path: 'usr/lib/ld.so', content: 'ld', mode: 0o755 },
    { path: 'lib64', type: '2', target: '/usr/lib' },
    { path: 'outside', type: '2', target: '../../../usr/lib/ld.so' },
  ]);
  t.match(tree.resolve('/lib64/ld.so'), { path: 'usr/lib/ld.so', executable: true });
  t.equal(tree.resolve('outside')?.path, 'usr/lib/ld.so', 'the root is its own parent');
  t.equal(tree.resolve('usr/lib'), undefined, 'a folder is no file');
});

const tricks: [string, readonly TarMember[]][] = [
  ['a path that climbs out', [{ path: '../evil', content: 'x' }]],
  ['a path that climbs out in the middle', [{ path: 'a/../../evil', content: 'x' }]],
  [
    'a file below a link',
    [
      { path: 'link', type: '2', target: '/etc' },
      { path: 'link/passwd', content: 'x' },
    ],
  ],
  [
    'a folder below a link',
    [
      { path: 'link', type: '2', target: '/etc' },
      { path: 'link/cron.d', type: '5' },
    ],
  ],
  [
    'a file below a file',
    [
      { path: 'a', content: 'x' },
      { path: 'a/b', content: 'x' },
    ],
  ],
  [
    'a link in the place of a folder',
    [
      { path: 'a/b', content: 'x' },
      { path: 'a', type: '2', target: '/etc' },
    ],
  ],
  ['a hard link to what is not in the image', [{ path: 'a', type: '1', target: 'etc/shadow' }]],
  ['a hard link that climbs out', [{ path: 'a', type: '1', target: '../etc/shadow' }]],
  [
    'a hard link to a link',
    [
      { path: 'l', type: '2', target: '/etc/shadow' },
      { path: 'a', type: '1', target: 'l' },
    ],
  ],
  ['a removal of a file below', [{ path: '.wh.acra-server', content: '' }]],
  ['a backslash in a path', [{ path: 'a\\b', content: '' }]],
];
for (const [what, members] of tricks) {
  t.test(`rejects ${what} (ACRA_IMAGE_INVALID)`, async () => {
    await rejectsCode(() => treeOf(members), AcraError, 'ACRA_IMAGE_INVALID');
  });
}

t.test('rejects links that lead in a circle (ACRA_IMAGE_INVALID)', async () => {
  const tree = await treeOf([
    { path: 'a', type: '2', target: 'b' },
    { path: 'b', type: '2', target: 'a' },
  ]);
  throwsCode(() => tree.files(), AcraError, 'ACRA_IMAGE_INVALID');
});

t.test('rejects an image of very many entries (ACRA_IMAGE_INVALID)', async () => {
  const tree = new ImageTree();
  const entry = { type: 'folder', path: 'a', target: '', mode: 0, content: Buffer.alloc(0) } as const;
  for (let count = 0; count < 10_000; count++) tree.add(entry);
  throwsCode(() => tree.add(entry), AcraError, 'ACRA_IMAGE_INVALID');
});
