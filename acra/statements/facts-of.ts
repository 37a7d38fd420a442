/** What a parse tree says of its statements before anything of it is judged. */
import type { Node } from 'libpg-query';
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

export function factsOf(statements: readonly Node[]): StatementFacts {
  const copies = statements.map((statement) => as(statement, 'CopyStmt'));
  return {
    kinds: statements.map(kindOf),
    copiesIn: copies.some((copy) => copy?.is_from === true && !copy.filename),
  };
}
