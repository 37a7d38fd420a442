/**
 * The fence of a session that is before the switch of a column (decision 21): a query in WITH that nobody reads, and that names the column
 * beside. Behind the switch there is none of that name, and the statement fails before it does anything. PostgreSQL analyses WITH before
 * all else, carries out no query of it that is not read, and keeps the lock that it takes for it (18, "WITH Queries").
 */

import type { CommonTableExpr, Node, ScanToken, WithClause } from 'libpg-query';
import { identifier } from '../../../postgres/sql-names.ts';
import type { Migration } from '../../migration/migration.ts';
import type { Draft } from '../draft.ts';
import { allAs, allOf, as, relationsIn, stringsOf, walk } from '../tree.ts';
import { unsupported } from './unsupported.ts';

/** The relations of that name in a statement, as it writes them, once each. */
function written(statement: Node, table: string): string[] {
  const own = relationsIn(statement).filter(({ relname }) => relname === table);
  const names = own.map(({ schemaname }) => (schemaname === undefined ? [table] : [schemaname, table]));
  return [...new Set(names.map((parts) => parts.map(identifier).join('.')))];
}

export const names = (statement: Node, { table }: Migration) => written(statement, table).length > 0;

const QUERIES = ['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt'];
/** They hold, or are, queries, and have no place for a fence. */
const UNFENCED: readonly string[] = ['CopyStmt', 'CreateTableAsStmt', 'ViewStmt', 'CreateSchemaStmt'];

function isUnfenced(statement: Node, plain: readonly Migration[]): boolean {
  let isFound = false;
  walk(statement, (_, kind) => {
    isFound ||= UNFENCED.includes(kind);
    return !isFound;
  });
  return isFound || plain.some(({ column }) => isDefinedByValue(statement, column));
}

/** CHECK, an index, a policy or a trigger that compares the column with a value: behind the switch it would stand in the catalogue, as it is. */
const isDefinedByValue = (statement: Node, column: string) =>
  allOf(statement, 'ColumnRef').some(({ fields }) => stringsOf(fields).at(-1) === column) &&
  allOf(statement, 'A_Const').some(({ isnull }) => !isnull);

/** WITH RECURSIVE sees its own queries in all of them: the fence would stand before one of these. @throws Refusal */
function requireNoQueryOf(statement: Node, { table }: Migration): void {
  const found = recursiveIn(statement).find(({ ctename }) => ctename === table);
  if (!found) return;
  const reason = `while rows of table "${table}" are being encrypted, no query of WITH RECURSIVE is called so`;
  throw unsupported('migration', reason);
}

function recursiveIn(statement: Node): CommonTableExpr[] {
  const found: CommonTableExpr[] = [];
  walk(statement, (node, kind) => {
    const { recursive, ctes } = (Object.values(node)[0] ?? {}) as WithClause;
    if (kind === 'withClause' && recursive) found.push(...allAs(ctes, 'CommonTableExpr'));
    return true;
  });
  return found;
}

/** @param start of the statement, in bytes @param plain before the switch. @throws Refusal where there is no place for one */
export function fence(draft: Draft, statement: Node, start: number, plain: readonly Migration[]): void {
  const reads = plain.flatMap((migration) =>
    written(statement, migration.table).map((relation) => `SELECT ${identifier(migration.beside)} FROM ${relation}`),
  );
  if (reads.length === 0) return;
  for (const migration of plain) requireNoQueryOf(statement, migration);
  const tokens = draft.tokensAfter(start);
  const first = tokens[startOfQuery(statement, tokens)];
  if (first) put(draft, tokens, first, reads);
  else if (isUnfenced(statement, plain)) {
    throw unsupported(
      'migration',
      'while rows of a protected table are being encrypted, no statement of this kind names it',
    );
  }
}

function put(draft: Draft, tokens: readonly ScanToken[], first: ScanToken, reads: readonly string[]): void {
  const queries = reads.map((read, index) => `"acra_enclave_fence_${index + 1}" AS (${read})`).join(', ');
  if (word(first) !== 'with') {
    draft.replace(first.start, first.start, `WITH ${queries} `);
    return;
  }
  const at = tokens.indexOf(first) + 1;
  const next = word(tokens[at]) === 'recursive' ? tokens[at + 1] : tokens[at];
  if (next) draft.replace(next.start, next.start, `${queries}, `);
}

const word = (token: ScanToken | undefined) => token?.text.toLowerCase() ?? '';

/** Which token the query begins with, in the statement or inside it; -1: none does. */
function startOfQuery(statement: Node, tokens: readonly ScanToken[], from = 0): number {
  const [kind = ''] = Object.keys(statement);
  if (QUERIES.includes(kind)) return from;
  const [explain, prepare, declare] = [
    as(statement, 'ExplainStmt'),
    as(statement, 'PrepareStmt'),
    as(statement, 'DeclareCursorStmt'),
  ];
  if (explain?.query) return startOfQuery(explain.query, tokens, behindOptions(tokens, from + 1));
  if (prepare?.query) return startOfQuery(prepare.query, tokens, behindWord(tokens, from, 'as'));
  if (declare?.query) return startOfQuery(declare.query, tokens, behindWord(tokens, from, 'for'));
  return as(statement, 'CopyStmt')?.query ? from + 2 : -1;
}

function behindWord(tokens: readonly ScanToken[], from: number, wanted: string): number {
  let depth = 0;
  const at = tokens.findIndex((token, index) => {
    depth += Number(token.text === '(') - Number(token.text === ')');
    return index > from + 1 && depth === 0 && word(token) === wanted;
  });
  return at === -1 ? tokens.length : at + 1;
}

/** EXPLAIN (…), or EXPLAIN ANALYZE VERBOSE. */
function behindOptions(tokens: readonly ScanToken[], from: number): number {
  const isList =
    tokens[from]?.text === '(' && !['(', 'select', 'values', 'with', 'table'].includes(word(tokens[from + 1]));
  if (isList) return tokens.findIndex(({ text }, index) => index > from && text === ')') + 1;
  const at = tokens.findIndex(
    (token, index) => index >= from && !['analyze', 'analyse', 'verbose'].includes(word(token)),
  );
  return at === -1 ? tokens.length : at;
}
