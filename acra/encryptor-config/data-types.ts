/**
 * The `data_type` of a column (acra-server contract 4.3) and what PostgreSQL calls it. Apart from the schema of the file, so that
 * the programs of a session, which read no file, need no library for it.
 */
export const DATA_TYPES = ['str', 'bytes', 'int32', 'int64'] as const;
export type DataType = (typeof DATA_TYPES)[number];

/** What the tokens of a column with `token_type` are random values of; an email is a text to PostgreSQL. */
export const TOKEN_TYPES = [...DATA_TYPES, 'email'] as const;
export type TokenType = (typeof TOKEN_TYPES)[number];

/** PostgreSQL type OIDs that `data_type_db_identifier` may name: text, bytea, int4, int8. */
export const DATA_TYPE_OIDS: Readonly<Record<DataType, number>> = { str: 25, bytes: 17, int32: 23, int64: 20 };
