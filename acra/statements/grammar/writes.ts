/** INSERT, UPDATE, DELETE and MERGE: what they store in protected columns is encrypted wherever it can be seen which column it is for. */
import type {
  DeleteStmt,
  InsertStmt,
  MergeStmt,
  MergeWhenClause,
  MultiAssignRef,
  Node,
  OnConflictClause,
  RangeVar,
  ResTarget,
  ReturningClause,
  UpdateStmt,
} from 'libpg-query';
import type { EncryptedColumn } from '../../encryptor-config/schema.ts';
import { allAs, as } from '../tree.ts';
import { nameRow } from './by-name.ts';
import { areRead, type Column, isByName, isOpen, isProtected, protectedIn, shownOf } from './columns.ts';
import { withFrom } from './from-clause.ts';
import { judgeInference } from './on-conflict.ts';
import { selected, withQueries } from './queries.ts';
import { type Relation, Scope } from './relations.ts';
import { requirePlaces } from './stars.ts';
import { byPlace, doubtful, tooMany, unsupported } from './unsupported.ts';
import type { Targets, Walk } from './walk.ts';

/** Of the relation that is written, by name. */
function targetNamed({ columns }: Relation, { name, indirection }: ResTarget): EncryptedColumn | undefined {
  const output = columns.find((column) => column.name === name)?.output ?? 'unprotected';
  if (!isProtected(output)) return undefined;
  if (indirection) throw unsupported('value-hidden', `only a part of column "${output.name}" is assigned`);
  return output;
}

/** The relation that is written is no query of WITH, whatever it is called. */
function written(relation: RangeVar = {}, { database }: Scope): Relation {
  database.receivers.requireWritable(relation, database.tables);
  return new Scope(database).relation(relation);
}

/** What an INSERT is for: the columns that it names, or all that are known. */
function targetsOf(target: Relation, cols: Node[] | undefined): readonly (EncryptedColumn | undefined)[] {
  if (cols) return allAs(cols, 'ResTarget').map((each) => targetNamed(target, each));
  return shownOf(target.columns).map(({ output }) => (isProtected(output) ? output : undefined));
}

function returned(own: Walk, clause: ReturningClause | undefined, scope: Scope, target: Relation): readonly Column[] {
  const { columns } = target;
  const aside = ['old', 'new'].map((name): Relation => ({ name, columns, isAside: true }));
  const named = allAs(clause?.options, 'ReturningOption').map(
    ({ value: name }): Relation => ({ name, columns, isAside: true }),
  );
  return selected(own, allAs(clause?.exprs, 'ResTarget'), scope.with([...aside, ...named]));
}

export function insert(own: Walk, statement: InsertStmt, outer: Scope): readonly Column[] {
  const before = withQueries(own, statement.withClause, outer);
  const target = written(statement.relation, before);
  const targets = targetsOf(target, statement.cols);
  nameRow(own.draft, statement, target);
  const { selectStmt: rows } = statement;
  if (rows) requireSamePlaces(own.query(rows, before, targets), targets);
  const scope = before.with([target], target.columns);
  if (statement.onConflictClause) onConflict(own, statement.onConflictClause, scope, target);
  return returned(own, statement.returningClause, scope, target);
}

/** What a protected column holds goes into the same one, where it can be read, and nowhere else. */
function requireSamePlaces(rows: readonly Column[], targets: Targets): void {
  areRead(rows);
  const found = rows.find(({ output }, index) => isProtected(output) && (isOpen(rows) || output !== targets[index]));
  if (found)
    throw unsupported(
      'copied',
      `protected column "${found.name ?? ''}" is copied into another one, where nobody could read it`,
    );
  const hidden = rows.find(({ output }) => output === 'doubtful');
  if (hidden) throw doubtful(hidden.name ?? '*');
}

function onConflict(own: Walk, clause: OnConflictClause, scope: Scope, target: Relation): void {
  if (clause.infer) judgeInference(own, clause.infer, target, scope);
  const inside = scope.with([{ name: 'excluded', columns: target.columns, isAside: true }]);
  assign(own, clause.targetList, target, inside);
  own.visit(clause.whereClause, inside);
}

export function update(own: Walk, statement: UpdateStmt, outer: Scope): readonly Column[] {
  const before = withQueries(own, statement.withClause, outer);
  const target = written(statement.relation, before);
  const scope = withFrom(own, statement.fromClause, before.with([target], target.columns));
  assign(own, statement.targetList, target, scope);
  own.visit(statement.whereClause, scope);
  return returned(own, statement.returningClause, scope, target);
}

export function remove(own: Walk, statement: DeleteStmt, outer: Scope): readonly Column[] {
  const before = withQueries(own, statement.withClause, outer);
  const target = written(statement.relation, before);
  const scope = withFrom(own, statement.usingClause, before.with([target], target.columns));
  own.visit(statement.whereClause, scope);
  return returned(own, statement.returningClause, scope, target);
}

export function merge(own: Walk, statement: MergeStmt, outer: Scope): readonly Column[] {
  const before = withQueries(own, statement.withClause, outer);
  const target = written(statement.relation, before);
  const source = withFrom(own, statement.sourceRelation ? [statement.sourceRelation] : [], before);
  const scope = source.with([target], target.columns);
  own.visit(statement.joinCondition, scope);
  for (const each of allAs(statement.mergeWhenClauses, 'MergeWhenClause')) {
    const { matchKind, condition, targetList, values } = each;
    const visible = matchKind === 'MERGE_WHEN_MATCHED' ? scope : isOfTarget(each) ? before.with([target]) : source;
    own.visit(condition, visible);
    if (values) mergeInsert(own, targetList, values, target, visible);
    else assign(own, targetList, target, visible);
  }
  return returned(own, statement.returningClause, scope, target);
}

/** Where there is no row of the source: the target alone may be named. Without a row of the target it is the source. */
const isOfTarget = ({ matchKind }: MergeWhenClause) => matchKind === 'MERGE_WHEN_NOT_MATCHED_BY_SOURCE';

function mergeInsert(
  own: Walk,
  targetList: Node[] | undefined,
  values: readonly Node[],
  target: Relation,
  scope: Scope,
): void {
  if (!targetList && isByName(target.columns)) throw byPlace(target.name ?? '');
  const targets = targetsOf(target, targetList);
  requirePlaces(values, targets);
  if (values.length > targets.length && protectedIn(target.columns)) throw tooMany();
  for (const [index, value] of values.entries()) put(own, value, targets[index], scope);
}

function put(own: Walk, value: Node | undefined, column: EncryptedColumn | undefined, scope: Scope): void {
  if (column) own.store(value, column, scope);
  else own.visit(value, scope);
}

/** SET, where several columns may take their values from one row or sub-select. */
function assign(own: Walk, list: Node[] | undefined, target: Relation, scope: Scope): void {
  const targets = allAs(list, 'ResTarget');
  for (const [index, each] of targets.entries()) {
    const several = as(each.val, 'MultiAssignRef');
    const column = targetNamed(target, each);
    if (!several) put(own, each.val, column, scope);
    else {
      const first = index - (several.colno ?? 1) + 1;
      const all = targets.slice(first, first + (several.ncolumns ?? 1)).map((other) => targetNamed(target, other));
      assignOne(own, several, column, scope, all);
    }
  }
}

/** @param all the columns that take their values from the same */
function assignOne(
  own: Walk,
  { source, colno = 1 }: MultiAssignRef,
  column: EncryptedColumn | undefined,
  scope: Scope,
  all: Targets,
): void {
  const [row, link] = [as(source, 'RowExpr'), as(source, 'SubLink')];
  if (row) {
    requirePlaces(row.args ?? [], all);
    put(own, row.args?.[colno - 1], column, scope);
  } else if (link?.subselect) {
    if (colno !== 1) return;
    requireSamePlaces(own.query(link.subselect, scope, all), all);
  } else if (column)
    throw unsupported('value-hidden', `what is stored in column "${column.name}" comes from a row that cannot be seen`);
  else if (colno === 1) own.visit(source, scope);
}
