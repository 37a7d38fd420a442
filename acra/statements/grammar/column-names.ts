/**
 * What PostgreSQL calls a result column that has no AS (18, FigureColname). A name that is taken for a column's, and is not, would hide
 * that ORDER BY means another one.
 */
import type { Node, SelectStmt } from 'libpg-query';
import { allAs, as, stringsOf } from '../tree.ts';
import { isStarred } from './stars.ts';

interface Figured {
  /** Undefined where it is not known here. */
  readonly name: string | undefined;
  /** A cast and CASE give a name only where there is none, or a weak one, inside. */
  readonly isStrong: boolean;
}

const NAMELESS = '?column?';
const WEAK: readonly string[] = ['A_Const', 'ParamRef', 'A_Expr', 'BoolExpr', 'NullTest', 'BooleanTest'];
const UNKNOWN: Figured = { name: undefined, isStrong: true };
const strong = (name: string | undefined): Figured => ({ name, isStrong: true });

/** Undefined where it is not known. */
export function columnName(node: Node | undefined): string | undefined {
  return node && figured(node)?.name;
}

const inside = (node: Node | undefined): Figured => (node ? figured(node) : { name: NAMELESS, isStrong: false });

function figured(node: Node): Figured {
  const [reference, part, call] = [as(node, 'ColumnRef'), as(node, 'A_Indirection'), as(node, 'FuncCall')];
  const [cast, choice, link] = [as(node, 'TypeCast'), as(node, 'CaseExpr'), as(node, 'SubLink')];
  if (reference) return isStarred(node) ? UNKNOWN : strong(stringsOf(reference.fields).at(-1));
  if (part) {
    const field = stringsOf(part.indirection).at(-1);
    return isStarred(node) ? UNKNOWN : field === undefined ? inside(part.arg) : strong(field);
  }
  if (call) return strong(stringsOf(call.funcname).at(-1));
  if (cast) return otherwise(cast.arg, stringsOf(cast.typeName?.names).at(-1));
  if (choice) return otherwise(choice.defresult, 'case');
  if (link) return ofSubLink(link.subLinkType ?? '', as(link.subselect, 'SelectStmt'));
  if (as(node, 'CollateClause')) return inside(as(node, 'CollateClause')?.arg);
  if (as(node, 'CoalesceExpr')) return strong('coalesce');
  if (as(node, 'A_Expr')?.kind === 'AEXPR_NULLIF') return strong('nullif');
  return WEAK.some((kind) => kind in node) ? inside(undefined) : UNKNOWN;
}

function otherwise(node: Node | undefined, name: string | undefined): Figured {
  const own = inside(node);
  return own.isStrong ? own : { name, isStrong: false };
}

function ofSubLink(kind: string, query: SelectStmt | undefined): Figured {
  if (kind === 'EXISTS_SUBLINK') return strong('exists');
  if (kind === 'ARRAY_SUBLINK') return strong('array');
  if (kind !== 'EXPR_SUBLINK') return inside(undefined);
  let first = query;
  while (first?.larg) first = first.larg;
  if (first?.valuesLists) return strong('column1');
  const [target] = allAs(first?.targetList, 'ResTarget');
  return strong(target?.name ?? columnName(target?.val));
}
