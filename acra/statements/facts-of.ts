/** What a parse tree says of its statements before anything of it is judged. */
import type { Node } from 'libpg-query';
import { type ProtectedCopy, streamOf } from './copy-stream.ts';
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

/** @param contentOf what is protected of the COPY at that place; default: nothing that is known yet */
export function factsOf(
  statements: readonly Node[],
  contentOf: (at: number) => ProtectedCopy | undefined = () => undefined,
): StatementFacts {
  return {
    kinds: statements.map(kindOf),
    streams: statements.flatMap((statement, at) => {
      const copy = as(statement, 'CopyStmt');
      return (copy && streamOf(copy, at, contentOf(at))) ?? [];
    }),
  };
}
