/** Documents name files, folders and each other: what moves takes its name in them along. */
import { execFileSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import t from 'tap';
import { anchorsOf, linksIn, pathsIn } from './document-paths.ts';
import { filesOf, PROJECT, readSource } from './imports.ts';

const FOLDERS = [
  ...'acra attestation bench bin cli config deploy docs eif emulator encoding examples host-proxy keys kms postgres'.split(
    ' ',
  ),
  ...'relay runtime scripts sessions supervisor system test wire'.split(' '),
];
/** The change log tells how things were called when they changed. */
const documents = ['README.md', 'CONTRIBUTING.md', ...filesOf(['docs'], '.md')];
const names = new Set(filesOf(FOLDERS, '').map((file) => basename(file)));

const exists = (path: string) =>
  /[*{]/.test(path) ? globSync(path, { cwd: PROJECT }).length > 0 : existsSync(join(PROJECT, path));

t.test('keeps the list of folders that documents may name complete', async (t) => {
  const text = execFileSync('git', ['ls-files'], { cwd: PROJECT, encoding: 'utf8' });
  const folders = text.split('\n').flatMap((file) => (file.includes('/') ? [file.split('/')[0] ?? ''] : []));
  t.same([...new Set(folders)].filter((name) => !name.startsWith('.')).toSorted(), FOLDERS.toSorted());
});

t.test('keeps links between documents to files and headings that are there', async (t) => {
  t.ok(documents.length > 20, 'documents were read');
  const broken = documents.flatMap((document) =>
    linksIn(readSource(document)).flatMap(({ path, anchor }) => {
      const target = path === '' ? document : normalize(join(dirname(document), path));
      if (!existsSync(join(PROJECT, target))) return [`${document}: ${path}`];
      const isThere = anchor === undefined || !target.endsWith('.md') || anchorsOf(readSource(target)).includes(anchor);
      return isThere ? [] : [`${document}: ${path}#${anchor}`];
    }),
  );
  t.same(broken, []);
});

t.test('keeps files and folders that documents name at their places', async (t) => {
  const missing = documents.flatMap((document) =>
    pathsIn(readSource(document), FOLDERS)
      .filter((path) => (path.includes('/') ? !exists(path) : !names.has(path)))
      .map((path) => `${document}: ${path}`),
  );
  t.same(missing, []);
});

t.test('sees links, headings and paths in every form', async (t) => {
  t.same(
    linksIn(
      '[a](b.md) ![p](pictures/x.svg "title") [c](../d.md#e-f) [g](#h) [i](https://j.k)\n[l]: m.md\n`[n](o.md)`\n',
    ),
    [
      { path: 'b.md', anchor: undefined },
      { path: 'pictures/x.svg', anchor: undefined },
      { path: '../d.md', anchor: 'e-f' },
      { path: '', anchor: 'h' },
      { path: 'm.md', anchor: undefined },
    ],
  );
  t.same(anchorsOf('# A b: `c-d`!\n## A b\n## A b\n```\n# no\n```\n'), ['a-b-c-d', 'a-b', 'a-b-1']);
  t.same(
    pathsIn('See `relay/relay.ts`, (test/relay/), /test/x, my-test/y, relay/{a,b}.ts and `calls.ts`.', [
      'relay',
      'test',
    ]),
    ['relay/relay.ts', 'test/relay/', 'relay/{a,b}.ts', 'calls.ts'],
  );
});
