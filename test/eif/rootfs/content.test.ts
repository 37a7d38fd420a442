/** From a list of files to archive entries. */
import t from 'tap';
import { EifBuildError } from '../../../eif/build-errors.ts';
import { below, type RamdiskContent, type RootfsFile, toCpioItems } from '../../../eif/rootfs/content.ts';
import { throwsCode } from '../../support/coded-error.ts';

function file(name: string): RootfsFile {
  return { name, mode: 0o644, source: { bytes: Buffer.from(name) }, component: 'test' };
}

function content(names: readonly string[], folders: RamdiskContent['folders'] = []): RamdiskContent {
  return { files: names.map(file), folders };
}

function describe(list: RamdiskContent): Record<string, string> {
  return Object.fromEntries(
    toCpioItems(list).map((item) => [
      item.name,
      item.type === 'hardlink' ? `hard link to ${item.to}` : `${item.type} ${item.mode.toString(8)}`,
    ]),
  );
}

t.test('keeps listed modes and implies the folders above', async (t) => {
  t.same(describe(content(['a/b/c'], [{ name: 'a', mode: 0o700 }])), {
    a: 'directory 700',
    'a/b': 'directory 755',
    'a/b/c': 'file 644',
  });
});

t.test('keeps the same content below a folder', async (t) => {
  t.same(Object.keys(describe(below('rootfs', content(['x'], [{ name: 'dev', mode: 0o755 }])))).sort(), [
    'rootfs',
    'rootfs/dev',
    'rootfs/x',
  ]);
});

t.test('keeps links with the content, hard ones with the file that they name', async (t) => {
  const links: RamdiskContent['links'] = [
    { kind: 'symbolic', name: 'bin', target: '/usr/bin', owner: 3, group: 4 },
    { kind: 'hard', name: 'deep/b', to: 'a' },
  ];
  t.same(describe(below('app', { ...content(['a']), links })), {
    app: 'directory 755',
    'app/a': 'file 644',
    'app/bin': 'symlink 777',
    'app/deep': 'directory 755',
    'app/deep/b': 'hard link to app/a',
  });
  t.match(toCpioItems({ ...content([]), links: links.slice(0, 1) }), [{ target: '/usr/bin', uid: 3, gid: 4 }]);
});

t.test('keeps a group that is not the user’s', async (t) => {
  const [item] = toCpioItems({ files: [{ ...file('a'), owner: 1, group: 2 }], folders: [] });
  t.match(item, { uid: 1, gid: 2 });
});

t.test('rejects a path that is claimed twice, or is a file and a folder (EIF_BUILD_NAME_CONFLICT)', async () => {
  for (const names of [
    ['a', 'a'],
    ['a', 'a/b'],
  ]) {
    throwsCode(() => toCpioItems(content(names)), EifBuildError, 'EIF_BUILD_NAME_CONFLICT');
  }
});
