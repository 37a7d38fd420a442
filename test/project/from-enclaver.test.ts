/** Tests that docs/from-enclaver.md names are there, under these names: whoever moves over can run them. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { PROJECT, readSource } from './imports.ts';

const EVIDENCE = /\[`(test\/[^`]+)`\]\(\.\.\/(test\/[^)]+)\) “([^”]+)”/g;
const TITLE = /\btest\(\s*(?:'((?:[^'\\]|\\.)*)'|`((?:[^`\\]|\\.)*)`)/g;

/** As they stand in the source, those that are made of values with the same marks. */
const titlesIn = (source: string) => [...source.matchAll(TITLE)].map(([, plain, template]) => plain ?? template ?? '');

/** @returns what is wrong with the name of a test; undefined when it is there */
function faultOf(file: string, title: string): string | undefined {
  if (!existsSync(join(PROJECT, file))) return `${file} is not there`;
  return titlesIn(readSource(file)).includes(title) ? undefined : `${file} has no test “${title}”`;
}

const rows = readSource('docs/from-enclaver.md')
  .split('\n')
  .filter((line) => line.startsWith('|') && line.includes('](../test/'));

t.test('rejects a file and a name that are not there', async (t) => {
  const own = 'test/project/from-enclaver.test.ts';
  t.match(faultOf('test/nowhere.test.ts', 'x'), 'is not there');
  t.match(faultOf(own, 'keeps no such name'), 'has no test');
  t.equal(faultOf(own, 'rejects a file and a name that are not there'), undefined);
});

t.test('keeps the names of tests in docs/from-enclaver.md true', async (t) => {
  const named = rows.flatMap((row) => [...row.matchAll(EVIDENCE)]);
  t.ok(named.length > 40, `${named.length} are named`);
  t.same(
    named
      .flatMap(([, file = '', link, title = '']) => [
        file === link ? [] : `${file} leads to ${link}`,
        faultOf(file, title) ?? [],
      ])
      .flat(),
    [],
  );
});

t.test('keeps a test in each row about a defect', async (t) => {
  const [, defects = ''] = readSource('docs/from-enclaver.md').split('\n## Its defects');
  const cells = defects.split('\n').filter((line) => line.startsWith('| ') && !/^\| (?:---|Enclaver \|)/.test(line));
  t.ok(cells.length > 35, `${cells.length} rows`);
  t.same(
    cells.filter((row) => row.matchAll(EVIDENCE).next().done),
    [],
  );
});
