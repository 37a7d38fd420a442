/**
 * Decides by PostgreSQL's own grammar what becomes of one SQL text before it may reach the database. What views, rules,
 * triggers and functions that exist already would write is not to be seen here, as with acra-server.
 */
import { isUtf8 } from 'node:buffer';
import { Draft } from './draft.ts';
import { type Output, outputsOf } from './outputs.ts';
import { parseSql } from './parser.ts';
import { Refusal } from './refusal.ts';
import type { Tables } from './scope.ts';
import { rewriteSearch } from './search.ts';
import { allOf } from './tree.ts';
import type { ValueCipher, ValueUse } from './values.ts';
import { rewriteWrites } from './writes.ts';

export interface Plan {
  /** What the database gets to see. */
  readonly sql: Buffer;
  /** By parameter number, from 1. */
  readonly parameters: ReadonlyMap<number, ValueUse>;
  readonly outputs: readonly Output[];
  /** Prepared statements that EXECUTE gives values to. */
  readonly executes: readonly string[];
}

/**
 * @param sql UTF-8 text, one or more statements
 * @throws Refusal when the text, as it is, must not reach the database
 * @throws SessionError 58000 when the keystore lacks a key that it needs
 */
export function analyse(tables: Tables, cipher: ValueCipher, sql: Buffer): Plan {
  if (!isUtf8(sql)) throw new Refusal('the statement is not UTF-8 text', '22021');
  const statements = parseSql(sql.toString());
  const draft = new Draft(sql.toString(), cipher);
  const [first] = statements;
  const isAlone = statements.length === 1;
  for (const statement of statements) {
    rewriteWrites(draft, tables, statement, isAlone);
    rewriteSearch(draft, tables, statement, isAlone);
  }
  return {
    sql: draft.finish(statements),
    parameters: draft.parameters,
    outputs: first && isAlone ? outputsOf(tables, first) : [],
    executes: allOf(statements, 'ExecuteStmt').map(({ name = '' }) => name),
  };
}
