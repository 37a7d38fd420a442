/**
 * Code in functions, procedures, DO and rules: nobody reads what it does with values. What mentions a protected table and may hold or write
 * one is refused. What puts a name or a word together at run time is not to be seen.
 */
import type { Node } from 'libpg-query';
import type { Tables } from '../scope.ts';
import { allOf, relationsIn } from '../tree.ts';
import { unsupported } from './unsupported.ts';

/** Words that write, or run a text that may; and quotes, of a value. */
const MAY_GIVE = /insert|update|merge|copy|execute|'/;

const protectedNames = (tables: Tables) =>
  [...tables].filter(([, { encrypted }]) => encrypted.size > 0).map(([name]) => name);

/** The protected table that a tree names as a relation, wherever in it. */
export function namedIn(tree: unknown, tables: Tables): string | undefined {
  const names = protectedNames(tables);
  return relationsIn(tree).find(({ relname = '' }) => names.includes(relname))?.relname;
}

function mentionedIn(code: string, tables: Tables): string | undefined {
  return protectedNames(tables).find((name) => code.includes(name.toLowerCase()));
}

/** @param statement CREATE FUNCTION, CREATE PROCEDURE or DO. @throws Refusal */
export function judgeCode(statement: Node, tables: Tables): void {
  const code = allOf(statement, 'String')
    .map(({ sval = '' }) => sval.toLowerCase())
    .join('\n');
  const found = (MAY_GIVE.test(code) ? mentionedIn(code, tables) : undefined) ?? namedIn(statement, tables);
  if (found === undefined) return;
  throw unsupported(
    'definition',
    `code mentions protected table "${found}", and writes or holds values that nobody can see in it`,
  );
}

/** @param statement CREATE RULE. @throws Refusal */
export function judgeRule(statement: Node, tables: Tables): void {
  const found = namedIn(statement, tables);
  if (found === undefined) return;
  throw unsupported('definition', `a rule on, or about, protected table "${found}" would change what statements do`);
}
