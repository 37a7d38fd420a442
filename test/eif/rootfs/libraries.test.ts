/** Libraries are found as the loader finds them, or the build stops. */
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { EifBuildError } from '../../../eif/build-errors.ts';
import { findLibraries, type LibrarySearch } from '../../../eif/rootfs/libraries.ts';
import { configuredFolders } from '../../../eif/rootfs/loader-folders.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { tinyElf } from './support/tiny-elf.ts';

const LOADER = '/lib64/ld-linux-x86-64.so.2';

function system(t: Test, files: Readonly<Record<string, Buffer | string>>): string {
  const root = temporaryFolder(t);
  for (const [name, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), bytes);
  }
  return root;
}

function search(root: string, changes: Partial<LibrarySearch> = {}): LibrarySearch {
  return {
    architecture: 'x86_64',
    system: root,
    firstFolders: [],
    configuredFolders: [],
    followsRunpath: true,
    ...changes,
  };
}

t.test('finds libraries of libraries, each once, and leaves out the loader', async (t) => {
  const root = system(t, {
    'bin/program': tinyElf({ interpreter: LOADER, needed: ['libb.so', 'liba.so'] }),
    'lib/x86_64-linux-gnu/liba.so': tinyElf({ needed: ['libc.so', 'ld-linux-x86-64.so.2'] }),
    'usr/lib/libb.so': tinyElf({ needed: ['liba.so', 'libc.so'] }),
    'lib64/libc.so': tinyElf({}),
  });
  const { interpreter, libraries } = await findLibraries([join(root, 'bin/program')], search(root));
  t.equal(interpreter, LOADER);
  const inRoot = (name: string, path: string) => ({ name, path, source: join(root, path) });
  t.same(libraries, [
    inRoot('liba.so', '/lib/x86_64-linux-gnu/liba.so'),
    inRoot('libb.so', '/usr/lib/libb.so'),
    inRoot('libc.so', '/lib64/libc.so'),
  ]);
});

t.test('follows DT_RUNPATH from the place of the file, and only where it counts', async (t) => {
  const root = system(t, {
    'opt/bin/program': tinyElf({ needed: ['liba.so'], runpath: '$ORIGIN/../lib' }),
    'opt/lib/liba.so': tinyElf({}),
  });
  const program = join(root, 'opt/bin/program');
  const { libraries } = await findLibraries([program], search(root));
  const path = join(root, 'opt/lib/liba.so');
  t.same(libraries, [{ name: 'liba.so', path, source: realpathSync(path) }]);
  const blind = search(root, { followsRunpath: false });
  await rejectsCode(() => findLibraries([program], blind), EifBuildError, 'EIF_BUILD_LIBRARY_MISSING');
});

t.test('searches what ld.so.conf adds', async (t) => {
  const root = system(t, {
    'etc/ld.so.conf': 'include /etc/ld.so.conf.d/*.conf\n',
    'etc/ld.so.conf.d/local.conf': '# ours\n/usr/local/lib\n',
    'etc/ld.so.conf.d/readme': '/not/this\n',
    'usr/local/lib/liba.so': tinyElf({}),
    program: tinyElf({ needed: ['liba.so'] }),
  });
  const folders = await configuredFolders(root);
  t.same(folders, ['/usr/local/lib']);
  const { libraries } = await findLibraries([join(root, 'program')], search(root, { configuredFolders: folders }));
  t.match(libraries, [{ path: '/usr/local/lib/liba.so', source: join(root, 'usr/local/lib/liba.so') }]);
});

t.test('never reads what the configuration of a system names outside it', async (t) => {
  const outside = system(t, { 'local.conf': '/outside\n' });
  const root = system(t, {
    'etc/ld.so.conf': `include ${'/..'.repeat(20)}${outside}/*.conf\ninclude /linked/*.conf\n`,
  });
  symlinkSync(outside, join(root, 'linked'));
  t.same(await configuredFolders(root), []);
});

t.test('rejects a missing library, and one whose name is a path (EIF_BUILD_LIBRARY_MISSING)', async (t) => {
  const root = system(t, {
    absent: tinyElf({ needed: ['libnowhere.so'] }),
    path: tinyElf({ needed: ['lib/liba.so'] }),
    'lib/lib/liba.so': tinyElf({}),
  });
  for (const name of ['absent', 'path']) {
    const find = () => findLibraries([join(root, name)], search(root));
    await rejectsCode(find, EifBuildError, 'EIF_BUILD_LIBRARY_MISSING');
  }
});

t.test('rejects a library for another processor (EIF_BUILD_ELF)', async (t) => {
  const root = system(t, { program: tinyElf({ needed: ['liba.so'] }), 'lib/liba.so': tinyElf({ machine: 183 }) });
  await rejectsCode(() => findLibraries([join(root, 'program')], search(root)), EifBuildError, 'EIF_BUILD_ELF');
});

t.test('rejects programs of one process with different loaders (EIF_BUILD_LIBRARY_CONFLICT)', async (t) => {
  const root = system(t, { a: tinyElf({ interpreter: LOADER }), b: tinyElf({ interpreter: '/lib/ld-musl.so' }) });
  const find = () => findLibraries([join(root, 'a'), join(root, 'b')], search(root));
  await rejectsCode(find, EifBuildError, 'EIF_BUILD_LIBRARY_CONFLICT');
});
