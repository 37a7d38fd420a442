/** docs/errors.md and the catalogues in the code say the same, both ways. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { CATALOGUES } from '../../cli/error-advice.ts';
import { renderErrorDocument } from '../../cli/error-document.ts';
import { filesOf, PROJECT, readSource } from './imports.ts';
import { SOURCE_FOLDERS } from './source-folders.ts';

const document = readFileSync(join(PROJECT, 'docs/errors.md'), 'utf8');
const codes = Object.values(CATALOGUES).flatMap((catalogue) => Object.keys(catalogue));

t.test('keeps docs/errors.md equal to the catalogues', async (t) => {
  t.equal(document, renderErrorDocument(), 'run `make error-docs` and commit the result');
});

t.test('keeps every code unique over all boundaries', async (t) => {
  t.equal(new Set(codes).size, codes.length);
});

t.test('keeps no code that nothing throws', async (t) => {
  const source = filesOf(SOURCE_FOLDERS)
    .filter((file) => !file.endsWith('errors.ts'))
    .map(readSource)
    .join('\n');
  const unused = codes.filter((code) => !source.includes(`'${code}'`));
  t.same(unused, []);
});
