/**
 * Statements that would change how the database reads the next ones (postgres/unsafe-settings.ts): they are refused before they take
 * effect, wherever SET stands (also in ALTER ROLE, ALTER DATABASE, ALTER SYSTEM and definitions of functions), and in `set_config()`.
 * What a function sets without showing it ends the session, when the database reports it. A setting of ours (acra/own-settings.ts) is
 * made at the start of a session only.
 */
import type { FuncCall, Node, SelectStmt, VariableSetStmt } from 'libpg-query';
import { SessionError } from '../../../postgres/session-error.ts';
import { isReadingSetting, requireSafeSetting } from '../../../postgres/unsafe-settings.ts';
import { isOwnSetting } from '../../own-settings.ts';
import { Refusal } from '../refusal.ts';
import { allAs, as, builtInName, stringsOf, walk } from '../tree.ts';
import { nameOfFunction } from './receivers.ts';

/** Undefined for anything but a constant. */
function textOf(node: Node | undefined): string | undefined {
  const cast = as(node, 'TypeCast');
  const constant = as(cast ? cast.arg : node, 'A_Const');
  if (constant?.boolval) return String(constant.boolval.boolval === true);
  if (constant?.ival) return String(constant.ival.ival ?? 0);
  return constant?.fval?.fval ?? (constant?.sval && (constant.sval.sval ?? ''));
}

/** PostgreSQL's state for a setting that is made at the start only. What sets it back sets it to what the start-up packet said. */
const ONLY_AT_START = '55P02';

/** @throws Refusal */
function requireSafe(name: string, value: string): void {
  if (isOwnSetting(name)) {
    const reason = `setting "${name.toLowerCase()}" cannot be changed within a session`;
    throw new Refusal(
      'setting',
      `${reason}: give it as the session starts, as -c name=value in PGOPTIONS`,
      ONLY_AT_START,
    );
  }
  try {
    requireSafeSetting(name, value);
  } catch (error) {
    if (error instanceof SessionError) throw new Refusal('setting', error.message, error.sqlState);
    throw error;
  }
}

function judgeSet({ kind, name = '', args = [] }: VariableSetStmt): void {
  if (kind === 'VAR_SET_VALUE') requireSafe(name, args.map((each) => textOf(each) ?? '').join(','));
}

/** The names that a setting of `set_config(name, …)` has by the row that it is of. */
const namesByRow = new WeakMap<FuncCall, string>();

const isNamed = (node: Node | undefined, name: string) =>
  as(node, 'ColumnRef')?.fields?.length === 1 && stringsOf(as(node, 'ColumnRef')?.fields)[0] === name;

/** `SELECT set_config(name, …) FROM pg_settings WHERE name = '…'`, by which pg_dump makes a setting that there need not be. */
function noteNameByRow({ targetList, fromClause, whereClause, withClause }: SelectStmt): void {
  const [relation, ...others] = allAs(fromClause, 'RangeVar');
  const condition = as(whereClause, 'A_Expr');
  const isOneSetting =
    relation?.relname === 'pg_settings' && others.length === 0 && fromClause?.length === 1 && withClause === undefined;
  const isEqual =
    condition?.kind === 'AEXPR_OP' && builtInName(condition.name) === '=' && isNamed(condition.lexpr, 'name');
  const name = textOf(condition?.rexpr);
  if (!isOneSetting || !isEqual || name === undefined) return;
  for (const { val } of allAs(targetList, 'ResTarget')) {
    const call = as(val, 'FuncCall');
    if (call && isNamed(call.args?.[0], 'name')) namesByRow.set(call, name);
  }
}

/** @throws Refusal */
export function judgeSetConfig(call: FuncCall): void {
  if (nameOfFunction(call) !== 'set_config') return;
  const [name, value] = [textOf(call.args?.[0]) ?? namesByRow.get(call), textOf(call.args?.[1])];
  if (name === undefined) {
    throw new Refusal(
      'setting',
      'set_config() names the setting by an expression: give its name as a literal',
      '22023',
    );
  }
  if (isReadingSetting(name) || isOwnSetting(name)) requireSafe(name, value ?? '');
}

/** @throws Refusal */
export function judgeSettings(statement: Node): void {
  const select = as(statement, 'SelectStmt');
  if (select) noteNameByRow(select);
  walk(statement, (node, kind) => {
    const within = kind === 'setstmt' ? (Object.values(node)[0] as VariableSetStmt) : undefined;
    const set = as(node, 'VariableSetStmt') ?? within;
    if (set) judgeSet(set);
    if (as(node, 'UpdateStmt')?.relation?.relname === 'pg_settings') {
      throw new Refusal('setting', 'a setting is changed through pg_settings: use SET', '22023');
    }
    return true;
  });
}
