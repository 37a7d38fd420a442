/** What a parse tree says of its statements before anything of it is judged. */
import type { Node } from 'libpg-query';
import { streamOf } from './copy-stream.ts';
import type { StatementFacts, StatementKind } from './statement-kinds.ts';
import { as } from './tree.ts';

const KINDS: Readonly<Record<string, StatementKind>> = {
  SelectStmt: 'select',
  InsertStmt: 'insert',
  UpdateStmt: 'update',
  DeleteStmt: 'delete',
  MergeStmt: 'merge',
  CopyStmt: 'copy',
};
const DEFINITION = /^(?:Create|Alter|Drop|Define|Rename|Comment|Grant|Index|View|Rule|RefreshMatView)\w*Stmt$/;

function kindOf(statement: Node): StatementKind {
  const [name = ''] = Object.keys(statement);
  return KINDS[name] ?? (DEFINITION.test(name) ? 'definition' : 'other');
}

export const kindsOf = (statements: readonly Node[]): StatementKind[] => statements.map(kindOf);

export function factsOf(statements: readonly Node[]): StatementFacts {
  return {
    kinds: kindsOf(statements),
    streams: statements.flatMap((statement, at) => {
      const copy = as(statement, 'CopyStmt');
      return (copy && streamOf(copy, at, undefined)) ?? [];
    }),
  };
}
