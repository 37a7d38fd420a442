/** Which result columns of a statement are protected columns, so that their type can be told to the client. */
import type { Node } from 'libpg-query';
import type { EncryptedColumn } from '../encryptor-config/schema.ts';
import { resolveColumn, type Source, sourcesOf, type Tables } from './scope.ts';
import { allAs, as, stringsOf } from './tree.ts';

/**
 * `unknown-star`: as many columns as an unprotected table has. `doubtful`: of a relation that nobody knows, with the name of a protected
 * column; it is read as it is stored. `unlisted`: of such a relation, with any other name.
 */
export type Output = EncryptedColumn | 'unprotected' | 'unknown-star' | 'doubtful' | 'unlisted';

/** A protected column among the results of a statement. */
export interface ProtectedResult {
  readonly column: EncryptedColumn;
  /** What PostgreSQL calls it; undefined where that is not known. */
  readonly name: string | undefined;
  /** The column itself, and no expression: PostgreSQL tells which table it is from. */
  readonly isReference: boolean;
}

export type Result = ProtectedResult | Exclude<Output, EncryptedColumn>;

function outputOf(sources: readonly Source[], target: Node | undefined): Output[] {
  const reference = as(target, 'ColumnRef');
  if (!reference) return ['unprotected'];
  if (!reference.fields?.some((field) => 'A_Star' in field))
    return [resolveColumn(sources, reference) ?? 'unprotected'];
  const qualifier = stringsOf(reference.fields).at(-1);
  return sources
    .filter(({ name }) => qualifier === undefined || name === qualifier)
    .flatMap(
      ({ table }): Output[] =>
        table?.columns.map((name) => table.encrypted.get(name) ?? 'unprotected') ?? ['unknown-star'],
    );
}

/** As acra-server itself reads them: by their place alone. */
export function outputsOf(tables: Tables, statement: Node): readonly Result[] {
  let select = as(statement, 'SelectStmt');
  while (select?.larg) select = select.larg;
  const writer = as(statement, 'InsertStmt') ?? as(statement, 'UpdateStmt') ?? as(statement, 'DeleteStmt');
  const sources = sourcesOf(tables, select ? { SelectStmt: select } : statement);
  const targets = select?.targetList ?? writer?.returningClause?.exprs;
  const outputs = allAs(targets, 'ResTarget').flatMap(({ val }) => outputOf(sources, val));
  return outputs.map((output) =>
    typeof output === 'object' ? { column: output, name: undefined, isReference: false } : output,
  );
}

/** Fits the outputs to the real number of columns; those after an unknown number are counted from the end. */
export function alignOutputs(outputs: readonly Result[], count: number): (ProtectedResult | undefined)[] {
  const star = outputs.indexOf('unknown-star');
  const lastStar = outputs.lastIndexOf('unknown-star');
  return Array.from({ length: count }, (_, index) => {
    const fromEnd = index - count + outputs.length;
    const isBefore = star === -1 ? outputs.length === count : index < star;
    const output = isBefore ? outputs[index] : star !== -1 && fromEnd > lastStar ? outputs[fromEnd] : undefined;
    return typeof output === 'object' ? output : undefined;
  });
}

/** Whether there are tokens among them that found no place: which cell has one is not known then. @param aligned as `alignOutputs` has it */
export function lacksTokens(outputs: readonly Result[], aligned: readonly (ProtectedResult | undefined)[]): boolean {
  const hasToken = (output: Result | undefined) => typeof output === 'object' && output.column.token !== undefined;
  return outputs.filter(hasToken).length > aligned.filter(hasToken).length;
}
