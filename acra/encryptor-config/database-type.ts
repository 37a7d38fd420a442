/**
 * What PostgreSQL has in the place of a protected column's values: bytea for ciphertext, whatever `data_type` says (acra-server contract 4.3),
 * and the type of the values themselves for tokens, which have the same form.
 * Specification: PostgreSQL 18, src/include/catalog/pg_type.dat.
 */
import { ARRAY_OIDS } from '../../postgres/arrays.ts';
import { encodeBytea } from '../../postgres/bytea.ts';
import { OIDS } from '../../postgres/messages.ts';
import type { DataType } from './data-types.ts';
import type { EncryptedColumn } from './schema.ts';

export interface DatabaseType {
  /** As it is written in a cast. */
  readonly name: 'bytea' | 'int4' | 'int8' | 'text';
  readonly oid: number;
  readonly arrayOid: number;
}

const named = (name: DatabaseType['name']): DatabaseType => ({ name, oid: OIDS[name], arrayOid: ARRAY_OIDS[name] });

const CIPHERTEXT = named('bytea');
const OF_TOKENS: Readonly<Record<DataType, DatabaseType>> = {
  str: named('text'),
  bytes: CIPHERTEXT,
  int32: named('int4'),
  int64: named('int8'),
};
/** varchar: what is compared with a column of it, or stored there, may be text. */
const VARCHAR_OID = 1043;

/** Whether equal values have equal tokens: these can be compared, and a key or an index on them does what it should. */
export const hasEqualTokens = ({ token }: EncryptedColumn): boolean => token?.isConsistent === true;

export const databaseTypeOf = ({ token, dataType = 'bytes' }: EncryptedColumn): DatabaseType =>
  token ? OF_TOKENS[dataType] : CIPHERTEXT;

/** Whether the database may say of a column's cells that they are of that type. */
export function isDatabaseType(column: EncryptedColumn, oid: number): boolean {
  const type = databaseTypeOf(column);
  return oid === type.oid || (type.name === 'text' && oid === VARCHAR_OID);
}

const CATALOGUE_NAMES: Readonly<Record<DatabaseType['name'], readonly string[]>> = {
  bytea: ['bytea'],
  text: ['text', 'character varying'],
  int4: ['integer'],
  int8: ['bigint'],
};

/** Types of columns that hold it, as format_type() calls them. */
export const columnTypesOf = (column: EncryptedColumn): readonly string[] =>
  CATALOGUE_NAMES[databaseTypeOf(column).name];

/** PostgreSQL's text form of what is stored. @param stored in binary form */
export function databaseText(column: EncryptedColumn, stored: Buffer): string {
  switch (databaseTypeOf(column).name) {
    case 'text':
      return stored.toString();
    case 'int4':
      return String(stored.readInt32BE());
    case 'int8':
      return String(stored.readBigInt64BE());
    default:
      return encodeBytea(stored);
  }
}
