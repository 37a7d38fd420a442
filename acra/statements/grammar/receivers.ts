/**
 * Who may be given values that nobody protects. With `guard.relations: listed` that is PostgreSQL itself, and what the measured
 * configuration names: a relation that it does not name may be a view, a partition or a child of a protected table, and a function may
 * store what it gets in one. The database has no say in it: one that hides a view must not gain by it.
 */
import type { FuncCall, Node, RangeVar } from 'libpg-query';
import type { Policy } from '../policy.ts';
import type { Tables } from '../scope.ts';
import { as, builtInName, stringsOf } from '../tree.ts';
import builtIn from './built-in-functions.json' with { type: 'json' };
import { isCatalogueOperator } from './built-in-operators.ts';
import { isCatalogueName } from './built-in-relations.ts';
import { unsupported } from './unsupported.ts';

/** Of PostgreSQL 18, but for those that run a text as a statement, or keep what they get. */
const BUILT_IN: ReadonlySet<string> = new Set(builtIn);
const CATALOGUE = 'pg_catalog';

/** The last part: which schema it leads to is the database's word. */
export const nameOfFunction = ({ funcname }: FuncCall) => stringsOf(funcname).at(-1) ?? '';

export class Receivers {
  readonly #isAny: boolean;
  readonly #relations: ReadonlySet<string>;
  readonly #functions: ReadonlySet<string>;
  readonly #operators: ReadonlySet<string>;

  constructor({ relations: which, list }: Policy) {
    this.#isAny = which === 'any';
    this.#relations = new Set(list.relations);
    this.#functions = new Set(list.functions);
    this.#operators = new Set(list.operators);
  }

  /** Whether nothing of a relation that is not protected itself is a protected column. */
  isPlain({ relname = '', schemaname }: RangeVar): boolean {
    return this.#isAny || this.#relations.has(relname) || isCatalogueName(relname, schemaname);
  }

  /** Whether the measured configuration names it. */
  isListed(relname = ''): boolean {
    return this.#relations.has(relname);
  }

  /** @throws Refusal where a relation is written that is neither protected nor on the list */
  requireWritable({ relname = '' }: RangeVar, tables: Tables): void {
    if (this.#isAny || tables.has(relname) || this.#relations.has(relname)) return;
    throw unsupported(
      'relation-unlisted',
      `relation "${relname}" is written, and is neither in the encryptor configuration nor in guard.list: it may be a view or a partition of a protected table`,
    );
  }

  /** Whether it is one of PostgreSQL's, or on the list. */
  isPlainFunction({ funcname }: FuncCall): boolean {
    const names = stringsOf(funcname);
    const name = names.at(-1) ?? '';
    const isOwn = names.length === 1 || names.at(-2) === CATALOGUE;
    return this.#isAny || (isOwn && BUILT_IN.has(name)) || this.#functions.has(name);
  }

  /** @throws Refusal where a function that is not on the list is given anything: columns may hold values of the statement */
  requireFunction(call: FuncCall): void {
    const { args = [], agg_order: order = [] } = call;
    if (this.isPlainFunction(call) || [...args, ...order].every((each) => as(each, 'A_Const')?.isnull)) return;
    throw this.#given(nameOfFunction(call));
  }

  /**
   * An operator that PostgreSQL does not have, or one of another schema, is a function of somebody's own. What one that is written as PostgreSQL's
   * own comes to is decided by its operands' types and the search path, and is the database's word. @throws Refusal
   */
  requireOperator(name: readonly Node[] | undefined, operands: readonly (Node | undefined)[]): void {
    const own = stringsOf(name).at(-1) ?? '';
    if (this.#isAny || isCatalogueOperator(builtInName(name) ?? '') || this.#operators.has(own)) return;
    if (operands.every((each) => each === undefined || as(each, 'A_Const')?.isnull)) return;
    throw this.#given(own, 'operator');
  }

  /** `(value).name` calls a function where there is no such field. @throws Refusal */
  requireFieldName(name: string): void {
    if (!this.isPlainFunction({ funcname: [{ String: { sval: name } }] })) throw this.#given(name);
  }

  #given(name: string, what: 'function' | 'operator' = 'function'): Error {
    return unsupported(
      'function-unlisted',
      `${what} "${name}" is given something, and is not in guard.list: it may store it in a protected table`,
    );
  }

  /** @throws Refusal for code whose values nobody reads */
  requireNoCode(): void {
    if (!this.#isAny) throw unsupported('code-hidden', 'DO runs code, and the values in it cannot be seen');
  }
}

const known = new WeakMap<Policy, Receivers>();

export function receiversOf(policy: Policy): Receivers {
  const made = known.get(policy) ?? new Receivers(policy);
  known.set(policy, made);
  return made;
}
