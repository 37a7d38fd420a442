/** Paths of a system below a folder: nothing in it leads to a file of this machine. */
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { findInSystem } from '../../../eif/rootfs/system-path.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

function system(t: Test, files: readonly string[], links: Readonly<Record<string, string>>): string {
  const root = temporaryFolder(t);
  for (const name of [...files, ...Object.keys(links)]) mkdirSync(dirname(join(root, name)), { recursive: true });
  for (const name of files) writeFileSync(join(root, name), name);
  for (const [name, target] of Object.entries(links)) symlinkSync(target, join(root, name));
  return root;
}

/** There on every machine, and not in the systems of these tests. */
const ELSEWHERE = realpathSync('/usr/bin/env');

t.test('follows links as the system would', async (t) => {
  const root = system(t, ['usr/lib/gnu/libc-2.so', 'usr/lib/gnu/libm.so'], {
    lib: 'usr/lib',
    lib64: '/lib/gnu',
    'usr/lib/gnu/libc.so': 'libc-2.so',
    'usr/lib/libd.so': '/lib64/../gnu/libc.so',
    up: '../../../../lib',
  });
  for (const path of [
    '/lib/gnu/libc-2.so',
    '/lib64/libc.so',
    'lib/libd.so',
    '/up//gnu/./libc.so',
    '/../../lib64/libc.so',
  ])
    t.equal(await findInSystem(root, path), join(root, 'usr/lib/gnu/libc-2.so'), path);
  t.equal(await findInSystem(root, '/lib64'), join(root, 'usr/lib/gnu'));
  t.equal(await findInSystem(root, '/'), join(root, '/'));
});

t.test('finds nothing where only this machine has something', async (t) => {
  const root = system(t, ['file'], {
    absolute: ELSEWHERE,
    folder: dirname(ELSEWHERE),
    relative: `${'../'.repeat(20)}${ELSEWHERE.slice(1)}`,
    self: 'self',
  });
  const up = `${'/..'.repeat(20)}${ELSEWHERE}`;
  for (const path of ['/absolute', '/folder/env', '/relative', up, '/self', '/none', '/file/below', '/none/../file'])
    t.equal(await findInSystem(root, path), undefined, path);
});

t.test('finds on this machine itself what its own links lead to', async (t) => {
  const root = system(t, ['file'], { link: 'file' });
  t.equal(await findInSystem('/', join(root, 'link')), realpathSync(join(root, 'link')));
});
