/**
 * What a row description may say of a result that the statement's analysis calls protected. The description is the database's word: it
 * shows no cell to an engine that the analysis does not, but keeps those back that it speaks against. Held against PostgreSQL 18 form by
 * form (test/acra/conversation/row-description.test.ts), so that no statement that is right loses its values:
 *
 *   the name           of a plain column, an alias, coalesce(…): always the one that the analysis knows; ASCII only, and shorter than
 *                      NAMEDATALEN, as others are cut off or come in the client's encoding
 *   the type           bytea, or that of the tokens; also of a domain over it
 *   table and number   of a plain column always the relation that the statement names (a view, a partitioned table, a parent) and a number
 *                      above 0, through sub-selects, WITH, joins, RETURNING, cursors and EXECUTE; of anything else, and behind UNION, 0;
 *                      of a cast either
 *
 * Within one description a number of a table is one column, and a table is one relation. Between two statements nothing is compared:
 * tables may be renamed, made anew, and found by another search_path.
 */
import { isAscii } from 'node:buffer';
import type { ResultField } from '../../postgres/messages.ts';
import { isDatabaseType } from '../encryptor-config/database-type.ts';
import type { ProtectedResult } from '../statements/outputs.ts';

export type Contradiction = 'cells' | 'type' | 'name' | 'origin';

/** NAMEDATALEN - 1: a name of that length may have been cut off. */
const MAX_NAME_BYTES = 63;

type Results = readonly (ProtectedResult | undefined)[];

/** @param results and @param fields of one result, in order, as many of each */
export function contradictions(results: Results, fields: readonly ResultField[]): (Contradiction | undefined)[] {
  const isOrigin = soundOrigins(results, fields);
  return results.map((result, index) => {
    const field = fields[index];
    if (!result || !field) return undefined;
    if (!isDatabaseType(result.column, field.typeOid)) return 'type';
    if (!isNamed(result, field)) return 'name';
    return isOrigin(result, field) ? undefined : 'origin';
  });
}

function isNamed({ name }: ProtectedResult, field: ResultField): boolean {
  const isKnown = name !== undefined && name.length < MAX_NAME_BYTES && isAscii(Buffer.from(name));
  return !isKnown || field.name === name;
}

const place = ({ tableOid, columnNumber }: ResultField) => `${tableOid}.${columnNumber}`;
const columnOf = ({ column: { table, name } }: ProtectedResult) => JSON.stringify([table, name]);

function soundOrigins(results: Results, fields: readonly ResultField[]) {
  const columns = new Map<string, Set<string>>();
  const tables = new Map<number, Set<string>>();
  const add = <Key>(sets: Map<Key, Set<string>>, key: Key, value: string) =>
    sets.set(key, (sets.get(key) ?? new Set()).add(value));
  for (const [index, result] of results.entries()) {
    const field = fields[index];
    if (!result || !field || field.tableOid === 0) continue;
    add(columns, place(field), columnOf(result));
    add(tables, field.tableOid, result.column.table);
  }
  return ({ isReference }: ProtectedResult, field: ResultField): boolean => {
    if (field.tableOid === 0) return !isReference;
    if (isReference && field.columnNumber <= 0) return false;
    return columns.get(place(field))?.size === 1 && tables.get(field.tableOid)?.size === 1;
  };
}
