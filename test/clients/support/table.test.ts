/** The table of docs/clients.md is written by runs of a part of the matrix, and must not lose the rest. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { ClientResult } from './checklist.ts';
import { CHECKS } from './checklist.ts';
import { withResults } from './table.ts';

const EMPTY =
  '# Before\n<!-- written by make test-clients: begin -->\n<!-- written by make test-clients: end -->\nafter\n';

function result(client: string, overrides: Partial<ClientResult> = {}): ClientResult {
  return {
    client,
    about: { version: '1.2', runtime: 'C 23', mode: 'text' },
    target: 'PostgreSQL 18 itself',
    date: '2026-01-02',
    outcomes: [
      { check: 'connect', ok: true, detail: '' },
      { check: 'pipeline', ok: null, detail: 'has none' },
      { check: 'wrong-ca', ok: true, detail: 'certificate verify failed' },
    ],
    ...overrides,
  };
}

const rowsOf = (document: string) => document.split('\n').filter((line) => line.includes('PostgreSQL 18 itself'));

t.test('writes a row a client, with what it has none of, and leaves the rest of the document', async (t) => {
  const document = withResults(EMPTY, [result('b'), result('a')]);
  t.same(rowsOf(document), [
    '| a | 1.2 | C 23 | text | 2 of 2 | no `pipeline`: has none | PostgreSQL 18 itself | 2026-01-02 |',
    '| b | 1.2 | C 23 | text | 2 of 2 | no `pipeline`: has none | PostgreSQL 18 itself | 2026-01-02 |',
  ]);
  t.match(document, /^# Before\n<!--/);
  t.match(document, /-->\nafter\n$/);
});

t.test('keeps the rows of clients that did not run', async (t) => {
  const before = withResults(EMPTY, [result('a'), result('b')]);
  const after = withResults(before, [result('b', { date: '2027-01-02' })]);
  t.equal(rowsOf(after)[0], rowsOf(before)[0]);
  t.match(rowsOf(after)[1], /2027-01-02/);
  t.equal(rowsOf(after).length, 2);
});

t.test('tells what failed, in one row whatever the text of the error is', async (t) => {
  const failed = { check: 'error', ok: false, detail: 'a | b\n<c>' };
  const [line = ''] = rowsOf(withResults(EMPTY, [result('a', { outcomes: [failed] })]));
  t.match(line, '| 0 of 1 | **fails** `error`: a \\| b &lt;c> |');
});

t.test('rejects a document without the two marks', async (t) => {
  t.throws(() => withResults('# Before\n', []), { message: /lacks the lines/ });
});

t.test('keeps the checks of docs/clients.md those of checks.json', async (t) => {
  const document = readFileSync(join(import.meta.dirname, '../../../docs/clients.md'), 'utf8');
  t.equal(withResults(document, []), document);
  t.equal(new Set(CHECKS.map(({ check }) => check)).size, CHECKS.length, 'each has a name of its own');
});
