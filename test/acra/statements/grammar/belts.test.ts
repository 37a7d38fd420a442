/** The belts that `guard ddl` writes pass through the guard as they are, and nothing that differs from one by a value. */
import t from 'tap';
import { checkFor } from '../../../../acra/belts/check.ts';
import type { EncryptedTable } from '../../../../acra/encryptor-config/schema.ts';
import { judge } from '../../../../acra/statements/judge.ts';
import { loadParser, parseText } from '../../../../acra/statements/parser.ts';
import { ANY_RELATION } from '../../../../acra/statements/policy.ts';
import { columnOf } from '../../support/columns.ts';
import { shownText } from '../support/shown-text.ts';

const COLUMNS = [
  columnOf({ name: 'plain' }),
  columnOf({ name: 'searched', searchable: true }),
  columnOf({ name: 'masked', masking: { pattern: 'x', plaintextBytes: 3, side: 'left' } }),
  columnOf({ name: 'masked_right', masking: { pattern: 'x', plaintextBytes: 4, side: 'right' } }),
  columnOf({ name: 'struct', envelope: 'acrastruct', searchable: true }),
  columnOf({ name: 'Odd "name', reencryptsToAcraBlock: false }),
];
const person: EncryptedTable = {
  name: 'person',
  columns: COLUMNS.map(({ name }) => name),
  encrypted: new Map(COLUMNS.map((column) => [column.name, column])),
};
const tables = new Map([['person', person]]);
const parser = await loadParser();

function ending(sql: string): string {
  const verdict = judge({ tables, reader: 'engine', policy: ANY_RELATION }, parseText(parser, sql));
  return verdict.kind === 'refused' ? verdict.sqlState : shownText(sql, verdict.plan);
}

const adding = (belt: string) => `ALTER TABLE public.person ADD CONSTRAINT b CHECK ${belt} NOT VALID`;

for (const column of COLUMNS) {
  const belt = checkFor(column, column.name);

  t.test(`keeps the belt of ${column.name} untouched`, async (t) => {
    t.equal(ending(adding(belt)), adding(belt));
  });

  t.test(`rejects what differs from the belt of ${column.name} (0A000)`, async (t) => {
    const others = [
      belt.replace('4c00', '4c01'),
      belt.replace(' = 0)', ' = 4)'),
      belt.replace(' >> 8)', ' >> 9)'),
      belt.replaceAll('pg_catalog.set_byte', 'public.set_byte'),
      belt.replace('pg_catalog.octet_length', 'public.octet_length'),
      belt.replace(' IS NULL', ' IS NOT NULL'),
      belt.replace(/\)$/, " OR (substr(plain, 1, 3) = '\\x666c75'))"),
      belt.replace(/'::bytea/, "'::public.bytea"),
      belt.replace(' AND ', ' OR '),
      belt.replace(' = pg_catalog.', ' <> pg_catalog.'),
      belt.replace(/(pg_catalog\.octet_length\("[^)]*\))/, "$1 FILTER (WHERE 'flu' = 'flu')"),
      belt.replace(/(pg_catalog\.octet_length\("[^)]*\))/, "$1 OVER (PARTITION BY 'flu')"),
      belt.replace(/octet_length\(/, 'octet_length(DISTINCT '),
      belt.replace("'::bytea", "'::bytea[77]"),
      belt.replace("'::bytea", "'::bytea COLLATE flu"),
    ];
    for (const other of others) {
      t.not(other, belt);
      t.equal(ending(adding(other)), '0A000', other);
    }
  });
}

t.test('rejects the belt of one column for another (0A000)', async (t) => {
  const [plain, searched] = COLUMNS;
  t.ok(plain && searched);
  if (plain && searched) t.equal(ending(adding(checkFor(plain, searched.name))), '0A000');
});
