/** What is stored in a protected column: a value, which is encrypted; what the same column holds already; or a choice of these. */
import type { Node, TypeCast } from 'libpg-query';
import type { EncryptedColumn } from '../../encryptor-config/schema.ts';
import type { Draft } from '../draft.ts';
import { allAs, as } from '../tree.ts';
import { takeArray } from './arrays.ts';
import { type CastColumn, castColumn, takeCasts } from './cast-columns.ts';
import { isProtected } from './columns.ts';
import type { Given } from './given.ts';
import type { Scope } from './relations.ts';
import { requireNoValueIn } from './unlisted.ts';
import { fromElsewhere, unsupported } from './unsupported.ts';
import type { Walk } from './walk.ts';

export function store(own: Walk, node: Node | undefined, column: EncryptedColumn, scope: Scope): void {
  const [named, choice, first, link] = [
    castColumn(node),
    as(node, 'CaseExpr'),
    as(node, 'CoalesceExpr'),
    as(node, 'SubLink'),
  ];
  if (as(node, 'SetToDefault')) return;
  if (named) storeColumn(own, named, column, scope);
  else if (choice) {
    const whens = allAs(choice.args, 'CaseWhen');
    own.visit([choice.arg, ...whens.map(({ expr }) => expr)], scope);
    requireNoValueIn(own, { CaseExpr: choice }, scope);
    for (const { result } of whens) own.store(result, column, scope);
    if (choice.defresult) own.store(choice.defresult, column, scope);
  } else if (first) for (const each of first.args ?? []) own.store(each, column, scope);
  else if (link?.subLinkType === 'EXPR_SUBLINK' && link.subselect) own.query(link.subselect, scope, [column]);
  else own.draft.takeValue(node, { column, role: 'store' });
}

/** A column of the statement's own values is for this one. @throws Refusal where it is for something else, too */
export function storeGiven({ draft }: Walk, given: Given, column: EncryptedColumn): void {
  const { nodes } = given;
  if (!given.isFor(column)) return;
  if ('array' in nodes) takeArray(draft, nodes.array, column, 'store');
  else for (const value of nodes.values) takeGiven(draft, value, column);
  if (!takeCasts(draft, given.casts, column)) throw castElsewhere(column);
}

/** The same column in another type: what becomes of it is one thing. @throws Refusal */
export function castGiven({ draft }: Walk, given: Given, casts: readonly TypeCast[]): void {
  const column = given.output;
  if (!isProtected(column)) given.casts.push(...casts);
  else if (!takeCasts(draft, casts, column)) throw castElsewhere(column);
}

const castElsewhere = ({ name }: EncryptedColumn) =>
  unsupported('cast', `what is given for protected column "${name}" is cast to a type that is not its own`);

function takeGiven(draft: Draft, value: Node | undefined, column: EncryptedColumn): void {
  const constant = as(value, 'A_Const');
  if (constant?.isnull) draft.takeNull(constant, column);
  else draft.takeValue(value, { column, role: 'store' });
}

function storeColumn(own: Walk, { reference, casts }: CastColumn, column: EncryptedColumn, scope: Scope): void {
  const found = scope.column(reference);
  if (found.given) own.storeGiven(found.given, column);
  if (found.output !== column) throw fromElsewhere(column);
  if (!takeCasts(own.draft, casts, column)) throw castElsewhere(column);
}
