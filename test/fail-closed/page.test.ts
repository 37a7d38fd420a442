/** Writes docs/fail-closed.md and docs/sql.md: every form through acra-server in line and through the guard (`make fail-closed`). */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { PROJECT } from '../project/imports.ts';
import { acraUnderTest, IN_LINE } from '../support/stack.ts';
import type { Form } from './support/form.ts';
import { cellOf, failClosedTable, type Row, sqlTable, withTable } from './support/page.ts';
import { guardedPlace } from './support/place.ts';
import { observe, type Place, PROTOCOLS } from './support/run-form.ts';
import { SEARCHES } from './support/searches.ts';
import { WRITES } from './support/writes.ts';

const SIMPLE = ['simple'] as const;
const isWanted = process.env['FAIL_CLOSED_PAGE'] !== undefined;

async function cellsOf(place: Place, form: Form) {
  const cells: Record<string, string> = {};
  let reason: string | undefined;
  for (const protocol of form.isSimpleOnly ? SIMPLE : PROTOCOLS) {
    const observed = await observe(place, form, protocol);
    cells[protocol] = cellOf(observed, form);
    if (observed.outcome.kind === 'failed')
      reason ??= observed.outcome.message.replace(/^refused by acra-enclave: /, '');
  }
  return { cells, reason };
}

t.test('writes what becomes of each form', { skip: !isWanted && 'make fail-closed does it' }, async (t) => {
  const program = await acraUnderTest();
  const [inLine, guarded] = [await guardedPlace(t, IN_LINE), await guardedPlace(t)];
  const rowsOf = async (forms: Readonly<Record<string, Form>>) => {
    const rows: Row[] = [];
    for (const [name, form] of Object.entries(forms)) {
      const own = await cellsOf(guarded, form);
      rows.push({
        name,
        form,
        inLine: (await cellsOf(inLine, form)).cells,
        guarded: own.cells,
        reason: own.reason,
      });
    }
    return rows;
  };
  const [writes, searches] = [await rowsOf(WRITES), await rowsOf(SEARCHES)];
  const isStandIn = program.kind === 'stand-in';
  const acra = isStandIn ? 'the stand-in for acra-server' : `acra-server (sha256 ${program.sha256})`;
  const { rows: versions } = await guarded.owner.query<{ server_version: string }>('SHOW server_version');
  const by = `Made on ${new Date().toISOString().slice(0, 10)} with ${acra} and PostgreSQL ${versions[0]?.server_version}.`;
  const write = (name: string, tables: Readonly<Record<string, string>>) => {
    const file = join(PROJECT, 'docs', name);
    const document = Object.entries(tables).reduce(
      (text, [mark, content]) => withTable(text, mark, content),
      readFileSync(file, 'utf8'),
    );
    writeFileSync(file, document);
  };
  write('fail-closed.md', { made: by, writes: failClosedTable(writes), searches: failClosedTable(searches) });
  write('sql.md', { made: by, writes: sqlTable(writes), searches: sqlTable(searches) });
  for (const { name, guarded: cells } of [...writes, ...searches]) t.notMatch(JSON.stringify(cells), /plaintext/, name);
});
