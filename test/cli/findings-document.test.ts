/** The pages with findings and their catalogues say the same. */
import t from 'tap';
import { FINDING_PAGES, renderFindings } from '../../cli/findings-document.ts';
import { filesOf, readSource } from '../project/imports.ts';

const CATALOGUES = ['acra/catalogue/findings.ts', 'acra/migration/findings.ts', 'kms/policy/check/findings.ts'];

for (const { file, catalogue } of FINDING_PAGES) {
  t.test(`keeps the table of ${file} equal to its catalogue`, async (t) => {
    t.ok(readSource(file).endsWith(`\n${renderFindings(catalogue)}`), 'run `make error-docs` and commit the result');
  });

  t.test(`keeps no code in ${file} that nothing finds`, async (t) => {
    const source = filesOf(['acra', 'cli', 'kms'])
      .filter((each) => !CATALOGUES.includes(each))
      .map(readSource)
      .join('\n');
    t.same(
      Object.keys(catalogue).filter((code) => !source.includes(`'${code}'`)),
      [],
    );
  });
}

t.test('keeps the known extensions of the document', async (t) => {
  t.match(readSource('docs/check-db.md').replaceAll('\n', ' '), 'pg_trgm, citext, hstore, uuid-ossp');
});
