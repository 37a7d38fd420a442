/** What a database that is no friend says of itself: it is checked, bounded, and never makes this run for ever. */
import t from 'tap';
import type { Catalogue } from '../../../acra/catalogue/catalogue.ts';
import { judgeCatalogue } from '../../../acra/catalogue/judge.ts';
import { type CatalogueReader, readCatalogue } from '../../../acra/catalogue/read.ts';
import { parseEncryptorConfig } from '../../../acra/encryptor-config/lint.ts';
import { ENCRYPTOR_YAML } from '../../../cli/demo/database.ts';

const { tables } = parseEncryptorConfig(ENCRYPTOR_YAML, 'encryptor.yaml');

/** Answers what is asked for by a part of it. */
function reader(answers: Readonly<Record<string, readonly unknown[]>>): CatalogueReader & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    query: async (sql) => {
      asked.push(sql);
      const found = Object.entries(answers).find(([part]) => sql.includes(part));
      if (found) return found[1];
      if (sql.includes('server_version_num')) return [{ version: '180004' }];
      return sql.includes('AS bytes') ? [{ bytes: '0' }] : [];
    },
  };
}

const relation = {
  id: 'R20000',
  schema: 'public',
  name: 'notes',
  kind: 'r',
  rowType: 'T20002',
  hasRowSecurity: false,
  isUpdatable: true,
};
const OF_RELATIONS = 'AS "isUpdatable"';

t.test('reads in a transaction that may not write, with an empty search_path and a timeout', async (t) => {
  const database = reader({});
  await readCatalogue(database, ['patients']);
  t.same(database.asked.slice(0, 3), [
    'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY',
    "SET LOCAL search_path = ''",
    'SET LOCAL statement_timeout = 120000',
  ]);
  t.equal(database.asked.at(-1), 'ROLLBACK');
  const verbs = database.asked.slice(4).map((sql) => sql.trim().split(/\s/)[0]);
  t.same([...new Set(verbs)].toSorted(), ['ROLLBACK', 'SELECT', 'SET']);
});

t.test('rejects answers that PostgreSQL does not give (CATALOGUE_ANSWER)', async (t) => {
  for (const row of [
    { ...relation, id: 'R1; DROP' },
    { ...relation, name: 7 },
    { ...relation, name: 'x'.repeat(5_000) },
    { ...relation, kind: 'rr' },
    { ...relation, more: 1 },
    { id: 'R1' },
    null,
  ]) {
    await t.rejects(readCatalogue(reader({ [OF_RELATIONS]: [row] }), []), { code: 'CATALOGUE_ANSWER' });
  }
  for (const rows of [[], [{ version: 'x' }], [{}]]) {
    await t.rejects(readCatalogue(reader({ server_version_num: rows }), []), { code: 'CATALOGUE_ANSWER' });
  }
});

t.test(
  'rejects more than can be looked at (CATALOGUE_TOO_LARGE), and a release that is too old (CATALOGUE_VERSION)',
  async (t) => {
    const rows = Array.from({ length: 200_001 }, () => relation);
    await t.rejects(readCatalogue(reader({ [OF_RELATIONS]: rows }), []), { code: 'CATALOGUE_TOO_LARGE' });
    await t.rejects(readCatalogue(reader({ 'AS bytes': [{ bytes: '9999999999' }] }), []), {
      code: 'CATALOGUE_TOO_LARGE',
    });
    await t.rejects(readCatalogue(reader({ server_version_num: [{ version: '120000' }] }), []), {
      code: 'CATALOGUE_VERSION',
    });
  },
);

const EMPTY = await readCatalogue(reader({}), []);

t.test('keeps to an end where a catalogue goes in circles', async (t) => {
  const catalogue: Catalogue = {
    ...EMPTY,
    relations: [relation, { ...relation, id: 'R20010', name: 'patients', rowType: 'T20012' }],
    inheritance: [
      { child: 'R20000', parent: 'R20010' },
      { child: 'R20010', parent: 'R20000' },
      { child: 'R20000', parent: 'R20000' },
    ],
    references: [
      { from: 'T20002', to: 'T20002' },
      { from: 'F1', to: 'F2' },
      { from: 'F2', to: 'F1' },
    ],
  };
  t.same(judgeCatalogue(catalogue, tables).list.relations, []);
});

const fn = {
  schema: 'public',
  kind: 'f',
  arguments: '',
  language: 'sql',
  isCallable: true,
  extension: null,
  isBuiltIn: false,
};

t.test('keeps to an end soon with ten thousand functions in a chain', async (t) => {
  const functions = Array.from({ length: 10_000 }, (_, index) => ({
    ...fn,
    id: `F${20_000 + index}`,
    name: `f${index}`,
    source: index === 0 ? 'SELECT * FROM patients' : `SELECT f${index - 1}()`,
  }));
  const { list, findings } = judgeCatalogue({ ...EMPTY, functions }, tables);
  t.same(list.functions, []);
  t.ok(findings.every(({ found }) => found.length < 2_000));
});

t.test('follows what only a superuser can make', async (t) => {
  const save = { ...fn, id: 'F20000', name: 'save', source: 'INSERT INTO patients' };
  const { list, findings } = judgeCatalogue(
    {
      ...EMPTY,
      relations: [
        relation,
        { ...relation, id: 'R20100', name: 'far', kind: 'f' },
        { ...relation, id: 'R20200', name: 'parted', kind: 'p' },
      ],
      inheritance: [{ child: 'R20100', parent: 'R20200' }],
      functions: [
        save,
        { ...fn, id: 'F20001', schema: 'pg_catalog', name: 'lower', source: 'SELECT save()' },
        { ...fn, id: 'F20002', name: 'compiled', language: 'c', source: 'x' },
        { ...fn, id: 'F20003', name: 'known', language: 'c', source: 'x', extension: 'pg_trgm' },
        { ...fn, id: 'F20004', name: 'unknown', language: 'c', source: 'x', extension: 'dblink' },
      ],
      eventTriggers: [{ name: 'e', function: 'F20000' }],
      attachments: [{ id: 'R20050', owner: 'R20000', name: 'i', kind: 'index', runsText: false }],
      references: [
        { from: 'R20050', to: 'P20060' },
        { from: 'P20060', to: 'F20000' },
      ],
    },
    tables,
  );
  t.same(list, { version: 1, relations: [], functions: ['known'], operators: [], uniqueSearches: [] });
  const codes = findings.map(({ code }) => code);
  for (const code of [
    'DB_EVENT_TRIGGER',
    'DB_BUILT_IN_NAME',
    'DB_EXTENSION_LEFT_OUT',
    'DB_FOREIGN_TABLE',
    'DB_RELATION_LEFT_OUT',
  ] as const) {
    t.ok(codes.includes(code), code);
  }
});
