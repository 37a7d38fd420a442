/** Entries of `uniqueSearches` that stand in the list already: which are kept, and what is told of them. */
import t from 'tap';
import { caseDatabase } from './support/database.ts';

interface Case {
  readonly sql: string;
  readonly present: readonly string[];
  readonly kept: readonly string[];
  readonly told?: readonly string[];
}

const INDEX = (rest: string) => `CREATE UNIQUE INDEX ON patients (${rest})`;
const HASH = 'substr(email, 1, 33)';
const OF_TWO = 'patients.(name,email)';

const CASES: Readonly<Record<string, Case>> = {
  'keeps an entry of several columns that has its index': {
    sql: INDEX(`name, ${HASH}`),
    present: [OF_TWO],
    kept: [OF_TWO],
  },
  'keeps it once, in the order of its index, beside what is found': {
    sql: `${INDEX(`${HASH}, name`)}; ${INDEX(HASH)}`,
    present: ['patients.( email , name )', OF_TWO],
    kept: ['patients.(email,name)', 'patients.email'],
  },
  'keeps one of a partitioned table': {
    sql: `DROP TABLE patients CASCADE; CREATE TABLE patients (id integer, name text, email bytea, diagnosis bytea) PARTITION BY LIST (name);
      CREATE TABLE patients_a PARTITION OF patients FOR VALUES IN ('a'); ${INDEX(`name, ${HASH}`)}`,
    present: [OF_TWO],
    kept: [OF_TWO],
  },
  'takes out one without an index, or with one that has more': {
    sql: INDEX(`name, ${HASH}, id`),
    present: [OF_TWO, 'patients.email', 'patients.(id,name,email)'],
    kept: ['patients.(name,email,id)'],
    told: ['DB_SEARCH_NOT_UNIQUE', 'DB_SEARCH_NOT_UNIQUE'],
  },
  'takes out one whose index is on the column itself, or not unique': {
    sql: `${INDEX('name, email')}; CREATE INDEX ON patients (id, ${HASH})`,
    present: [OF_TWO, 'patients.(id,email)'],
    kept: [],
    told: ['DB_SEARCH_NOT_UNIQUE', 'DB_SEARCH_NOT_UNIQUE'],
  },
  'takes out what the encryptor configuration does not know as searchable': {
    sql: INDEX(`name, ${HASH}`),
    present: ['patients.(name,diagnosis)', 'gone.email', 'patients.(none,email)'],
    kept: [OF_TWO],
    told: ['DB_SEARCH_NOT_UNIQUE', 'DB_SEARCH_NOT_UNIQUE', 'DB_SEARCH_NOT_UNIQUE'],
  },
  'keeps and tells one whose index has a condition, or more in INCLUDE': {
    sql: `${INDEX(`name, ${HASH}`)} WHERE id > 1; ${INDEX(HASH)} INCLUDE (id)`,
    present: [OF_TWO, 'patients.email'],
    kept: [OF_TWO, 'patients.email'],
    told: ['DB_SEARCH_NOT_JUDGED', 'DB_SEARCH_NOT_JUDGED'],
  },
  'keeps and tells one of a table that has children': {
    sql: `${INDEX(`name, ${HASH}`)}; CREATE TABLE child () INHERITS (patients)`,
    present: [OF_TWO],
    kept: [OF_TWO],
    told: ['DB_SEARCH_NOT_JUDGED'],
  },
  'keeps and tells one of a view, and of a table that is missing': {
    sql: 'ALTER TABLE patients RENAME TO stored; CREATE VIEW patients AS SELECT * FROM stored',
    present: [OF_TWO],
    kept: [OF_TWO],
    told: ['DB_SEARCH_NOT_JUDGED'],
  },
};

t.test('entries of the list', async (t) => {
  const database = await caseDatabase(t);
  for (const [name, { sql, present, kept, told = [] }] of Object.entries(CASES)) {
    await t.test(name, async (t) => {
      const { list, findings } = await database.judge(sql, undefined, present);
      t.same(list.uniqueSearches, kept);
      const own = findings.filter(({ code }) => code.startsWith('DB_SEARCH_'));
      t.same(
        own.map(({ code }) => code),
        told,
        own.map(({ object, found }) => `${object}: ${found}`).join('\n'),
      );
    });
  }
});
