/** docs/check-db.md and the catalogue of findings say the same. */
import t from 'tap';
import { FINDINGS } from '../../acra/catalogue/findings.ts';
import { renderFindings } from '../../cli/findings-document.ts';
import { filesOf, readSource } from '../project/imports.ts';

t.test('keeps the table of docs/check-db.md equal to the catalogue', async (t) => {
  t.ok(readSource('docs/check-db.md').endsWith(`\n${renderFindings()}`), 'run `make error-docs` and commit the result');
});

t.test('keeps no code that nothing finds', async (t) => {
  const source = filesOf(['acra', 'cli'])
    .filter((file) => file !== 'acra/catalogue/findings.ts')
    .map(readSource)
    .join('\n');
  t.same(
    Object.keys(FINDINGS).filter((code) => !source.includes(`'${code}'`)),
    [],
  );
});

t.test('keeps the known extensions of the document', async (t) => {
  t.match(readSource('docs/check-db.md').replaceAll('\n', ' '), 'pg_trgm, citext, hstore, uuid-ossp');
});
