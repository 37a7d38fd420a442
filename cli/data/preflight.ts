/** All that keeps a column from being encrypted, or is to be known before: found at once, and before anything is changed. */

import { quoted, shown } from '../../acra/catalogue/labels.ts';
import { isHashKey } from '../../acra/catalogue/unique-searches.ts';
import type { EncryptedColumn } from '../../acra/encryptor-config/schema.ts';
import { type MigrationCode, type MigrationFinding, migrationFinding } from '../../acra/migration/findings.ts';
import {
  hashIndexName,
  insertTriggerName,
  restIndexName,
  triggerName,
  triggerNames,
} from '../../acra/migration/names.ts';
import { isWrittenAs } from '../../postgres/sql-names.ts';
import type { Row } from './connection.ts';
import type { ColumnFacts, Inspected } from './inspect.ts';

const TRUE = 'true';
const TYPES: Readonly<Record<string, readonly string[]>> = {
  str: ['text', 'character varying', 'bpchar'],
  int32: ['smallint', 'integer'],
  int64: ['smallint', 'integer', 'bigint'],
  bytes: ['bytea'],
};

function judgeType({ dataType = 'bytes', masking }: EncryptedColumn, { type, isBase }: ColumnFacts) {
  const fits = isBase && TYPES[dataType]?.includes(type);
  return [
    ...(fits ? [] : [migrationFinding('MIGRATION_TYPE', `${shown(type)}, and data_type is ${dataType}`)]),
    ...(type === 'bpchar' ? [migrationFinding('MIGRATION_PADDED', 'char(n)')] : []),
    ...(masking ? [migrationFinding('MIGRATION_MASKED', masking.pattern)] : []),
  ];
}

/** What pg_describe_object says of the rest of a dependency's kind. */
const KINDS: Readonly<Record<string, MigrationCode>> = {
  pg_rewrite: 'MIGRATION_VIEW',
  pg_policy: 'MIGRATION_POLICY',
  pg_trigger: 'MIGRATION_TRIGGER',
  pg_statistic_ext: 'MIGRATION_INDEX_ENDS',
  pg_publication_rel: 'MIGRATION_PUBLICATION',
};

function codeOf([catalogue, letter, , , isGenerated]: Row, hasTwin: boolean): MigrationCode {
  const kind = (catalogue ?? '').replace('pg_catalog.', '');
  if (letter === 'c') return 'MIGRATION_CHECK';
  if (letter === 'f') return 'MIGRATION_FOREIGN_KEY';
  if (letter === 'p') return 'MIGRATION_KEY';
  if (letter === 'u' || letter === 'x') return letter === 'u' && hasTwin ? 'MIGRATION_UNIQUE_ENDS' : 'MIGRATION_UNIQUE';
  if (isGenerated === TRUE) return 'MIGRATION_GENERATED_FROM';
  if (kind === 'pg_attrdef') return 'MIGRATION_DEFAULT';
  return KINDS[kind] ?? (kind === 'pg_class' ? 'MIGRATION_INDEX_ENDS' : 'MIGRATION_USED');
}

interface Index {
  readonly name: string;
  readonly isValid: boolean;
  readonly isUnique: boolean;
  readonly isPartial: boolean;
  readonly keys: readonly string[];
}

function indexesOf({ facts }: Inspected): Index[] {
  const byName = Map.groupBy(facts.indexes, ([name]) => name ?? '');
  return [...byName].map(([name, rows]) => ({
    name,
    isValid: rows[0]?.[1] === TRUE,
    isUnique: rows[0]?.[2] === TRUE,
    isPartial: rows[0]?.[4] === TRUE,
    keys: rows.map((row) => row[3] ?? ''),
  }));
}

/** Whether a valid unique index has the hash where that one has the column, and all else alike. */
function hasTwin(inspected: Inspected, name: string): boolean {
  const { column, beside } = inspected.table.migration;
  const indexes = indexesOf(inspected);
  const own = indexes.find((index) => index.name === name);
  const others = (index: Index) => index.keys.filter((key) => !isWrittenAs(column, key) && !isHashKey(key, beside));
  return indexes.some(
    (index) =>
      own !== undefined &&
      index.isUnique &&
      index.isValid &&
      !own.isPartial &&
      !index.isPartial &&
      index.keys.some((key) => isHashKey(key, beside)) &&
      others(index).toSorted().join('\n') === others(own).toSorted().join('\n'),
  );
}

/** pg_constraint.contype, from PostgreSQL 18 on. */
const NOT_NULL = 'n';

function judgeDependents(inspected: Inspected): MigrationFinding[] {
  const { migration } = inspected.table;
  const ours = [...triggerNames(migration), restIndexName(migration)];
  return inspected.facts.dependents
    .filter(([, letter, , name]) => letter !== NOT_NULL && !ours.includes(name ?? ''))
    .map((row) => migrationFinding(codeOf(row, hasTwin(inspected, row[3] ?? '')), shown(row[2] ?? '')))
    .filter(({ code }) => code !== 'MIGRATION_KEY');
}

const WORD = /[\p{L}\p{N}_$]+/gu;
/** Of another column's migration. */
const isOfMigration = (name: string) => /^zz_acra_enclave_.*_[0-9a-f]{8}$/s.test(name);

function judgeTriggers({ facts, table }: Inspected): MigrationFinding[] {
  const own = triggerNames(table.migration);
  return facts.triggers
    .filter(([name, enabled]) => !own.includes(name ?? '') && enabled !== 'D')
    .flatMap(([name, , called, source]) => {
      const text = source?.toLowerCase() ?? '';
      const words = new Set(text.match(WORD));
      const isNamed = [table.migration.column, table.migration.beside]
        .map((each) => each.toLowerCase())
        .some(
          (each) => words.has(each) || (each.replace(WORD, '') !== '' && text.includes(each.replaceAll('"', '""'))),
        );
      const what = `trigger ${quoted(name ?? '')} calls ${quoted(called ?? '')}`;
      if (!isNamed && isOfMigration(name ?? '')) return [];
      return migrationFinding(isNamed ? 'MIGRATION_TRIGGER' : 'MIGRATION_TRIGGER_RUNS', what);
    });
}

/** In whatever order they were granted. */
const grantsIn = (text: string) =>
  text
    .replace(/^\{|\}$/g, '')
    .split(',')
    .filter((each) => each !== '');
const isSameGrants = (one: string, other: string) =>
  grantsIn(one).toSorted().join() === grantsIn(other).toSorted().join();

function judgeTable({ table, relation, facts, columns }: Inspected): MigrationFinding[] {
  const { column, beside } = table.migration;
  const [own, other] = [columns.get(column), columns.get(beside)];
  const isInKey = table.key.some(({ name }) => name === column);
  const { isOwner, isRowSecurityForced, isInherited, isPartitioned } = relation;
  const say = (isFound: boolean, code: MigrationCode, found: string) =>
    isFound ? [migrationFinding(code, found)] : [];
  return [
    ...say(!isOwner, 'MIGRATION_OWNER', quoted(table.migration.table)),
    ...say(isPartitioned || isInherited, 'MIGRATION_INHERITANCE', quoted(table.migration.table)),
    ...say(table.key.length === 0 || isInKey, 'MIGRATION_KEY', isInKey ? 'the column is in it' : 'there is none'),
    ...say(isRowSecurityForced, 'MIGRATION_POLICY', 'row security is forced'),
    ...say(own?.hasDefault === true || own?.isGenerated === true, 'MIGRATION_DEFAULT', quoted(column)),
    ...say(
      other !== undefined && !isSameGrants(own?.grants ?? '', other.grants),
      'MIGRATION_GRANTS',
      shown(own?.grants || 'none'),
    ),
    ...facts.rules.map(([name]) => migrationFinding('MIGRATION_RULE', quoted(name ?? ''))),
    ...facts.publications.map(([name]) => migrationFinding('MIGRATION_PUBLICATION', quoted(name ?? ''))),
  ];
}

/** What `data prepare` makes. */
export interface Made {
  /** Undefined: there is none. */
  readonly checkName: string | undefined;
  readonly isCheckValid: boolean;
  readonly hasTrigger: boolean;
  readonly hasRestIndex: boolean;
  readonly hasHashIndex: boolean;
  /** Ours, of an attempt that did not end. */
  readonly invalidIndexes: readonly string[];
}

export function madeOf(inspected: Inspected): Made {
  const { facts, table, columns } = inspected;
  const { migration } = table;
  const number = columns.get(migration.beside)?.number;
  const checks = facts.checks.filter(([, , keys, text]) => keys === number && text?.includes('\\x252525'));
  const indexes = indexesOf(inspected);
  const ours = [restIndexName(migration), hashIndexName(migration, false), hashIndexName(migration, true)];
  return {
    checkName: checks[0]?.[0] ?? undefined,
    isCheckValid: checks.some(([, isValid]) => isValid === TRUE),
    hasTrigger:
      facts.triggers.some(([name, enabled]) => name === triggerName(migration) && enabled === 'A') &&
      facts.triggers.some(([name, enabled]) => name === insertTriggerName(migration) && enabled !== 'D'),
    hasRestIndex: indexes.some(({ name, isValid }) => name === restIndexName(migration) && isValid),
    hasHashIndex: indexes.some(({ keys, isValid }) => isValid && keys.some((key) => isHashKey(key, migration.beside))),
    invalidIndexes: indexes.filter(({ name, isValid }) => ours.includes(name) && !isValid).map(({ name }) => name),
  };
}

function judgePrepared(inspected: Inspected): MigrationFinding[] {
  const made = madeOf(inspected);
  const say = (isRight: boolean, code: MigrationCode, found: string) =>
    isRight ? [] : [migrationFinding(code, found)];
  const hasIndexes = made.hasRestIndex && (made.hasHashIndex || !inspected.configured.searchable);
  return [
    ...say(made.isCheckValid, 'MIGRATION_CONSTRAINT', quoted(inspected.table.migration.beside)),
    ...say(made.hasTrigger, 'MIGRATION_PREPARED_TRIGGER', quoted(triggerName(inspected.table.migration))),
    ...say(hasIndexes, 'MIGRATION_INDEX', quoted(restIndexName(inspected.table.migration))),
  ];
}

const ordered = (findings: readonly MigrationFinding[]) =>
  findings.toSorted((a, b) => Number(a.severity === 'note') - Number(b.severity === 'note'));

/** Of a table before its switch. Errors first. @param isBeforePrepare what `data prepare` makes is not missed */
export function judgeColumn(inspected: Inspected, isBeforePrepare: boolean): readonly MigrationFinding[] {
  const own = inspected.columns.get(inspected.table.migration.column);
  const all = [
    ...(own ? judgeType(inspected.configured, own) : []),
    ...judgeTable(inspected),
    ...judgeDependents(inspected),
    ...judgeTriggers(inspected),
    ...(isBeforePrepare ? [] : judgePrepared(inspected)),
  ];
  const isMended = ({ code, found }: MigrationFinding) =>
    isBeforePrepare &&
    (code === 'MIGRATION_GRANTS' || (code === 'MIGRATION_UNIQUE' && found !== '' && canBeUnique(inspected)));
  return ordered(all.filter((each) => !isMended(each)));
}

/** Whether a unique index on the hash alone does for every unique key of the column. */
export function canBeUnique(inspected: Inspected): boolean {
  const unique = uniqueIndexes(inspected);
  return (
    inspected.configured.searchable &&
    unique.length > 0 &&
    unique.every(({ keys, isPartial }) => keys.length === 1 && !isPartial)
  );
}

const uniqueIndexes = (inspected: Inspected): readonly Index[] =>
  indexesOf(inspected).filter(
    ({ isUnique, keys }) => isUnique && keys.some((key) => isWrittenAs(inspected.table.migration.column, key)),
  );
