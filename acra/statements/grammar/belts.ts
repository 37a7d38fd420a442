/**
 * CHECK constraints that keep plaintext out of a protected column: the one that `guard ddl` writes (acra/belts/check.ts), to the letter, and
 * shorter ones (acra-server contract 4.6) that look for the marks that a container, or the hash in front of one, begins with. Only these
 * marks: any other value in a CHECK may be somebody's plaintext.
 */
import type { Node } from 'libpg-query';
import { identifier } from '../../../postgres/sql-names.ts';
import { checkFor } from '../../belts/check.ts';
import type { EncryptedColumn } from '../../encryptor-config/schema.ts';
import { as, builtInName, stringsOf } from '../tree.ts';

const READERS = ['get_byte', 'substr', 'substring'];
/** 0x7f before a hash, `%%%` before an AcraBlock, `""""""""` before an AcraStruct. */
const BYTES: readonly number[] = [0x7f, 0x25, 0x22];
const MARKS: readonly string[] = ['\\x7f', '\\x252525', '\\x2222222222222222', '%%%', '""""""""'];

const isInteger = (node: Node) => as(node, 'A_Const')?.ival !== undefined;

function isMark(node: Node | undefined): boolean {
  const cast = as(node, 'TypeCast');
  if (cast) return builtInName(cast.typeName?.names) === 'bytea' && isMark(cast.arg);
  const { ival, sval } = as(node, 'A_Const') ?? {};
  return (
    (ival !== undefined && BYTES.includes(ival.ival ?? 0)) || (sval?.sval !== undefined && MARKS.includes(sval.sval))
  );
}

function readsBytes(node: Node | undefined): boolean {
  const { funcname, args: [column, ...places] = [] } = as(node, 'FuncCall') ?? {};
  return (
    READERS.includes(builtInName(funcname) ?? '') && as(column, 'ColumnRef') !== undefined && places.every(isInteger)
  );
}

const columnOf = (node: Node | undefined) => stringsOf(as(node, 'ColumnRef')?.fields);

function constantText({ ival, sval }: NonNullable<ReturnType<typeof as<'A_Const'>>>): string {
  return sval ? `'${sval.sval ?? ''}'` : String(ival?.ival ?? (ival ? 0 : ''));
}

/** What a node may have here: a value could stand in anything else (FILTER, OVER, a type's modifiers). */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  FuncCall: ['funcname', 'args', 'funcformat', 'location'],
  A_Expr: ['kind', 'name', 'lexpr', 'rexpr', 'location'],
  BoolExpr: ['boolop', 'args', 'location'],
  TypeCast: ['arg', 'typeName', 'location'],
  A_Const: ['ival', 'sval', 'location'],
  NullTest: ['arg', 'nulltesttype', 'location'],
  ColumnRef: ['fields', 'location'],
};
const TYPE_FIELDS: readonly string[] = ['names', 'typemod', 'location'];
const JOINTS: Readonly<Record<string, string>> = { OR_EXPR: ' OR ', AND_EXPR: ' AND ' };

const hasOnly = (node: object | undefined, fields: readonly string[] = []) =>
  Object.keys(node ?? {}).every((field) => fields.includes(field));

const isPlain = (node: Node) => Object.entries(node).every(([kind, body]) => hasOnly(body, FIELDS[kind]));

/** As acra/belts/check.ts writes it; something that it never writes for anything else. */
function textOf(node: Node | undefined): string {
  if (!node || !isPlain(node)) return '?';
  const [call, operation, both] = [as(node, 'FuncCall'), as(node, 'A_Expr'), as(node, 'BoolExpr')];
  const [cast, constant, test] = [as(node, 'TypeCast'), as(node, 'A_Const'), as(node, 'NullTest')];
  if (call) return `${stringsOf(call.funcname).join('.')}(${(call.args ?? []).map(textOf).join(', ')})`;
  if (operation?.kind === 'AEXPR_OP') {
    return `(${textOf(operation.lexpr)} ${stringsOf(operation.name).join('.')} ${textOf(operation.rexpr)})`;
  }
  if (both) return `(${(both.args ?? []).map(textOf).join(JOINTS[both.boolop ?? ''] ?? '?')})`;
  if (cast && hasOnly(cast.typeName, TYPE_FIELDS)) {
    return `${textOf(cast.arg)}::${stringsOf(cast.typeName?.names).join('.')}`;
  }
  if (constant) return constantText(constant);
  if (test) return `(${textOf(test.arg)} IS${test.nulltesttype === 'IS_NULL' ? '' : ' NOT'} NULL)`;
  return as(node, 'ColumnRef') ? columnOf(node).map(identifier).join('.') : '?';
}

/** Begins with `column IS NULL`. */
function isWrittenBelt(node: Node, encrypted: ReadonlyMap<string, EncryptedColumn>): boolean {
  const [first] = as(node, 'BoolExpr')?.args ?? [];
  const [name = '', ...more] = columnOf(as(first, 'NullTest')?.arg);
  const column = more.length === 0 ? encrypted.get(name) : undefined;
  return column !== undefined && !column.token && textOf(node) === checkFor(column, name);
}

/** @param encrypted columns of the table that is held by it */
export function isBelt(node: Node | undefined, encrypted: ReadonlyMap<string, EncryptedColumn>): boolean {
  return node !== undefined && (isWrittenBelt(node, encrypted) || isShortBelt(node));
}

function isShortBelt(node: Node): boolean {
  const [both, comparison, test] = [as(node, 'BoolExpr'), as(node, 'A_Expr'), as(node, 'NullTest')];
  if (both) return both.boolop !== 'NOT_EXPR' && both.args?.every(isShortBelt) === true;
  if (test) return as(test.arg, 'ColumnRef') !== undefined;
  const isEqual = comparison?.kind === 'AEXPR_OP' && stringsOf(comparison.name).join('.') === '=';
  return isEqual && readsBytes(comparison.lexpr) && isMark(comparison.rexpr);
}
