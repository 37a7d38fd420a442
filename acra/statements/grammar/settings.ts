/**
 * Statements that would change how the database reads the next ones (postgres/unsafe-settings.ts): they are refused before they take
 * effect, wherever SET stands (also in ALTER ROLE, ALTER DATABASE, ALTER SYSTEM and definitions of functions), and in `set_config()`.
 * What a function sets without showing it ends the session, when the database reports it.
 */
import type { FuncCall, Node, VariableSetStmt } from 'libpg-query';
import { SessionError } from '../../../postgres/session-error.ts';
import { isReadingSetting, requireSafeSetting } from '../../../postgres/unsafe-settings.ts';
import { Refusal } from '../refusal.ts';
import { as, walk } from '../tree.ts';
import { nameOfFunction } from './receivers.ts';

/** Undefined for anything but a constant. */
function textOf(node: Node | undefined): string | undefined {
  const cast = as(node, 'TypeCast');
  const constant = as(cast ? cast.arg : node, 'A_Const');
  if (constant?.boolval) return String(constant.boolval.boolval === true);
  if (constant?.ival) return String(constant.ival.ival ?? 0);
  return constant?.fval?.fval ?? (constant?.sval && (constant.sval.sval ?? ''));
}

/** @throws Refusal */
function requireSafe(name: string, value: string): void {
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

/** @throws Refusal */
export function judgeSetConfig(call: FuncCall): void {
  if (nameOfFunction(call) !== 'set_config') return;
  const [name, value] = [textOf(call.args?.[0]), textOf(call.args?.[1])];
  if (name === undefined) {
    throw new Refusal(
      'setting',
      'set_config() names the setting by an expression: give its name as a literal',
      '22023',
    );
  }
  if (isReadingSetting(name)) requireSafe(name, value ?? '');
}

/** @throws Refusal */
export function judgeSettings(statement: Node): void {
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
