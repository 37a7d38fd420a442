/**
 * Keys and indexes over protected columns: no two ciphertexts are equal, so that an index on one finds nothing, and a key keeps nothing unique.
 * On the hash of a searchable column they work: `substr(column, 1, 33)`; on consistent tokens, by themselves.
 */
import type { Constraint, IndexElem, Node } from 'libpg-query';
import { hasEqualTokens } from '../../encryptor-config/database-type.ts';
import type { EncryptedColumn } from '../../encryptor-config/schema.ts';
import type { Tables } from '../scope.ts';
import { allAs, allOf, stringsOf } from '../tree.ts';
import { unsupported } from './unsupported.ts';

type Encrypted = ReadonlyMap<string, EncryptedColumn>;

const KEYS: readonly string[] = ['CONSTR_UNIQUE', 'CONSTR_PRIMARY', 'CONSTR_FOREIGN'];

const withoutEqualTokens = (encrypted: Encrypted): Encrypted =>
  new Map([...encrypted].filter(([, column]) => !hasEqualTokens(column)));

function useless(what: string, { name, searchable, token }: EncryptedColumn) {
  if (token)
    return unsupported(
      'definition',
      `${what} protected column "${name}" compares tokens, which may differ for equal values`,
    );
  const instead = searchable ? `use CREATE [UNIQUE] INDEX ON … (substr(${name}, 1, 33))` : 'it is not searchable';
  return unsupported(
    'definition',
    `${what} protected column "${name}" compares ciphertexts, of which no two are equal: ${instead}`,
  );
}

function requireNone(what: string, names: readonly (string | undefined)[], encrypted: Encrypted): void {
  const found = names.map((name) => encrypted.get(name ?? '')).find((column) => column !== undefined);
  if (found) throw useless(what, found);
}

/** @throws Refusal */
export function requireNoIndex(elements: readonly IndexElem[], encrypted: Encrypted): void {
  requireNone(
    'an index on',
    elements.map(({ name }) => name),
    withoutEqualTokens(encrypted),
  );
}

function keysOf({ contype, keys, fk_attrs: foreign, exclusions }: Constraint): (string | undefined)[] {
  const excluded = allAs(exclusions, 'List').flatMap(({ items }) => allAs(items, 'IndexElem'));
  const own = contype && KEYS.includes(contype) ? [...stringsOf(keys), ...stringsOf(foreign)] : [];
  return [...own, ...excluded.map(({ name }) => name)];
}

/** @param statement CREATE TABLE or ALTER TABLE of the table with these columns. @throws Refusal */
export function requireNoKeys(statement: Node, encrypted: Encrypted): void {
  const keyed = allOf(statement, 'ColumnDef').filter(({ constraints }) =>
    allAs(constraints, 'Constraint').some(({ contype = '' }) => KEYS.includes(contype)),
  );
  const names = [...allOf(statement, 'Constraint').flatMap(keysOf), ...keyed.map(({ colname }) => colname)];
  requireNone('a key on', names, withoutEqualTokens(encrypted));
  const parts = allOf(statement, 'PartitionElem').map(({ name }) => name);
  requireNone('a partition by', parts, encrypted);
}

/** A key of any table that refers to a protected column. @throws Refusal */
export function requireNoForeignKeys(statement: Node, tables: Tables): void {
  for (const { pktable, pk_attrs: names } of allOf(statement, 'Constraint')) {
    const encrypted = tables.get(pktable?.relname ?? '')?.encrypted;
    if (encrypted) requireNone('a foreign key to', stringsOf(names), encrypted);
  }
}
