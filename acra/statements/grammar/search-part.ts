/** The hash in front of a searchable column's ciphertext, as people write it: `substr(column, 1, 33)` (acra-server contract 4.3). */
import type { Node } from 'libpg-query';
import { as, builtInName } from '../tree.ts';
import { isProtected } from './columns.ts';
import type { Scope } from './relations.ts';

const HASH_BYTES = 33;

/** Only `substr`: to PostgreSQL an index on `substring(…)` is another one, which no search finds. */
export function isSearchPart(node: Node | undefined, scope: Scope): boolean {
  const { funcname, args = [], ...others } = as(node, 'FuncCall') ?? {};
  const [of, from, length] = args;
  const reference = as(of, 'ColumnRef');
  const isWhole = as(from, 'A_Const')?.ival?.ival === 1 && as(length, 'A_Const')?.ival?.ival === HASH_BYTES;
  const isPlain = args.length === 3 && others.funcformat === 'COERCE_EXPLICIT_CALL' && !others.over;
  if (!reference || !isWhole || !isPlain || builtInName(funcname) !== 'substr') return false;
  const output = scope.find(reference);
  return isProtected(output) && output.searchable;
}
