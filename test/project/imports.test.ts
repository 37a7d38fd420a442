/** The rules of this folder are worth what the reader of imports and the finder of circles see. */
import t from 'tap';
import { circlesOf, graphOf, reachable } from './graph.ts';
import { arrowsIn, packageArrowsIn, withoutComments } from './imports.ts';

const kindsIn = (text: string) => arrowsIn('a/b/c.ts', text).map(({ to, kind }) => [to, kind]);

for (const [form, text, to, kind] of [
  ['an import', "import { x } from './x.ts';", 'a/b/x.ts', 'load'],
  ['an import over several lines', "import {\n  x,\n  y, // with '\n} from '../x.ts';", 'a/x.ts', 'load'],
  ['an import for its effect', "import './x.ts';", 'a/b/x.ts', 'load'],
  ['an import of which a part is a type', "import { type X, x } from './x.ts';", 'a/b/x.ts', 'load'],
  ['an import that Node leaves empty', "import { type X } from './x.ts';", 'a/b/x.ts', 'load'],
  ['an export from elsewhere', "export * from './x.ts';", 'a/b/x.ts', 'load'],
  ['an import of types', "import type { X } from '../../x.ts';", 'x.ts', 'type'],
  ['an export of types', "export type { X } from './x.ts';", 'a/b/x.ts', 'type'],
  ['a type in place', "type X = import('./x.ts').X;", 'a/b/x.ts', 'later'],
  ['an import on demand', "await import('./x.ts')", 'a/b/x.ts', 'later'],
  ['a program by its name', "new URL('./x.ts', import.meta.url)", 'a/b/x.ts', 'later'],
  ['a mocked import', 't.mockImport(`./x.ts`)', 'a/b/x.ts', 'later'],
  ['an import of JSON', "import x from '../x.json' with { type: 'json' };", 'a/x.json', 'load'],
] as const) {
  t.test(`sees ${form}`, async (t) => {
    t.same(kindsIn(text), [[to, kind]]);
  });
}

t.test('takes a file that is imported twice, once for types, as loaded', async (t) => {
  t.same(kindsIn("import type { X } from './x.ts';\nimport { x } from './x.ts';"), [['a/b/x.ts', 'load']]);
});

t.test('sees no import in a comment, and a string that looks like one stays a string', async (t) => {
  t.same(kindsIn("/* import './x.ts'; */ // import './y.ts'"), []);
  t.equal(
    withoutComments("glob('a/**/*.ts') /* x\n */ + 'https://host' // y"),
    "glob('a/**/*.ts') \n + 'https://host' ",
  );
});

t.test('sees packages in every form of import', async (t) => {
  const text = `import koffi from 'koffi';
import type { A } from '@scope/name/inner';
import { readFileSync } from 'node:fs';
type Library = typeof import('libpg-query');
const path = import.meta.resolve('esbuild/bin');
require('pg');`;
  t.same(
    packageArrowsIn('a.ts', text).map(({ name }) => name),
    ['koffi', '@scope/name', 'libpg-query', 'esbuild', 'pg'],
  );
});

t.test('finds each circle once, whoever leads into it', async (t) => {
  const edges = ['ab', 'bc', 'cb', 'cd', 'de', 'ef', 'fd', 'gg'].map(([from = '', to = '']) => ({ from, to }));
  t.same(circlesOf(graphOf(edges)), [['b', 'c'], ['d', 'e', 'f'], ['g']]);
  t.same([...reachable(['d'], graphOf(edges))], ['d', 'e', 'f']);
});
