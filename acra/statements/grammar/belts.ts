/**
 * CHECK constraints that keep plaintext out of a protected column (acra-server contract 4.6): they look for the marks that a container, or
 * the hash in front of one, begins with. Only these marks: any other value in a CHECK may be somebody's plaintext.
 */
import type { Node } from 'libpg-query';
import { as, stringsOf } from '../tree.ts';

const READERS = ['get_byte', 'substr', 'substring'];
/** 0x7f before a hash, `%%%` before an AcraBlock, `""""""""` before an AcraStruct. */
const BYTES: readonly number[] = [0x7f, 0x25, 0x22];
const MARKS: readonly string[] = ['\\x7f', '\\x252525', '\\x2222222222222222', '%%%', '""""""""'];

const isInteger = (node: Node) => as(node, 'A_Const')?.ival !== undefined;

function isMark(node: Node | undefined): boolean {
  const cast = as(node, 'TypeCast');
  if (cast) return stringsOf(cast.typeName?.names).at(-1) === 'bytea' && isMark(cast.arg);
  const { ival, sval } = as(node, 'A_Const') ?? {};
  return (
    (ival !== undefined && BYTES.includes(ival.ival ?? 0)) || (sval?.sval !== undefined && MARKS.includes(sval.sval))
  );
}

function readsBytes(node: Node | undefined): boolean {
  const { funcname, args: [column, ...places] = [] } = as(node, 'FuncCall') ?? {};
  return (
    READERS.includes(stringsOf(funcname).at(-1) ?? '') &&
    as(column, 'ColumnRef') !== undefined &&
    places.every(isInteger)
  );
}

export function isBelt(node: Node | undefined): boolean {
  const [both, comparison, test] = [as(node, 'BoolExpr'), as(node, 'A_Expr'), as(node, 'NullTest')];
  if (both) return both.boolop !== 'NOT_EXPR' && both.args?.every(isBelt) === true;
  if (test) return as(test.arg, 'ColumnRef') !== undefined;
  const isEqual = comparison?.kind === 'AEXPR_OP' && stringsOf(comparison.name).join('.') === '=';
  return isEqual && readsBytes(comparison.lexpr) && isMark(comparison.rexpr);
}
