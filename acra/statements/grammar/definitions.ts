/**
 * Definitions about protected tables. A value in one (DEFAULT, GENERATED, USING) would be stored as it stands there, by the database; what
 * it compares is rewritten as in a query; what reads ciphertext to no use, or writes by itself, is refused. Triggers may be defined: what
 * their functions do is the owner's, and they see ciphertext only.
 */
import type { CreateTrigStmt, IndexStmt, Node, RenameStmt } from 'libpg-query';
import type { EncryptedColumn } from '../../encryptor-config/schema.ts';
import type { Draft } from '../draft.ts';
import type { Tables } from '../scope.ts';
import { allAs, allOf, as } from '../tree.ts';
import { isBelt } from './belts.ts';
import { judgeCode, judgeRule } from './code.ts';
import { judgeExpression } from './judge-query.ts';
import { requireNoForeignKeys, requireNoIndex, requireNoKeys } from './keys.ts';
import { type Database, type Relation, Scope } from './relations.ts';
import { isSearchPart } from './search-part.ts';
import { requireListedDefinition } from './unlisted-definitions.ts';
import { unsupported } from './unsupported.ts';

interface Context {
  readonly draft: Draft;
  readonly database: Database;
}

const WITH_VALUE = ['CONSTR_DEFAULT', 'CONSTR_GENERATED'];

const isNull = (node: Node | undefined) => node === undefined || as(node, 'A_Const')?.isnull === true;

/** @returns whether nothing else of the statement is to be judged. @throws Refusal */
export function judgeDefinition(context: Context, statement: Node): boolean {
  const { tables } = context.database;
  const [trigger, index, rename] = [
    as(statement, 'CreateTrigStmt'),
    as(statement, 'IndexStmt'),
    as(statement, 'RenameStmt'),
  ];
  requireListedDefinition(statement, tables, context.database.receivers);
  if (as(statement, 'RuleStmt')) judgeRule(statement, tables);
  if (as(statement, 'DoStmt') || as(statement, 'CreateFunctionStmt')) judgeCode(statement, tables);
  if (rename) judgeRename(rename, tables);
  if (trigger) judgeTrigger(context, trigger);
  if (index) judgeIndex(context, index);
  return judgeTable(context, statement) || judgePolicy(context, statement) || isJudged(statement);
}

const JUDGED = ['CreateFunctionStmt', 'CreateTrigStmt', 'DoStmt', 'IndexStmt', 'RenameStmt', 'RuleStmt'];
const isJudged = (statement: Node) => JUDGED.some((kind) => kind in statement);

/** The names of a table's columns. */
function scopeOf({ database }: Context, relname: string | undefined): Scope {
  const target = new Scope(database).relation({ relname: relname ?? '' });
  return new Scope(database).with([target], target.columns);
}

function encryptedOf({ database }: Context, relname = ''): ReadonlyMap<string, EncryptedColumn> | undefined {
  const encrypted = database.tables.get(relname)?.encrypted;
  return encrypted?.size ? encrypted : undefined;
}

function visit({ draft, database }: Context, expressions: readonly (Node | undefined)[], scope: Scope): void {
  for (const each of expressions) if (each) judgeExpression(draft, database, each, scope);
}

/** `old` and `new` are rows of the table. Its arguments are given to the function each time. */
function judgeTrigger(context: Context, { relation, funcname, args = [], whenClause }: CreateTrigStmt): void {
  const { draft, database } = context;
  const values = allAs(args, 'String').map((sval): Node => ({ A_Const: { sval } }));
  database.receivers.requireFunction({ ...(funcname && { funcname }), args: values });
  if (!encryptedOf(context, relation?.relname)) return;
  const { columns } = new Scope(database).relation({ relname: relation?.relname ?? '' });
  const rows = ['old', 'new'].map((name): Relation => ({ name, columns, isAside: true }));
  if (whenClause) judgeExpression(draft, database, whenClause, new Scope(database).with(rows));
}

function judgeIndex(context: Context, { relation, indexParams, whereClause }: IndexStmt): void {
  const encrypted = encryptedOf(context, relation?.relname);
  if (!encrypted) return;
  const elements = allAs(indexParams, 'IndexElem');
  requireNoIndex(elements, encrypted);
  const scope = scopeOf(context, relation?.relname);
  const others = elements.map(({ expr }) => expr).filter((expr) => !isSearchPart(expr, scope));
  visit(context, [...others, whereClause], scope);
}

/** Under another name a protected column or table would be one of which nobody knows that it is. */
function judgeRename({ renameType, relation, subname = '', newname = '' }: RenameStmt, tables: Tables): void {
  const encrypted = tables.get(relation?.relname ?? '')?.encrypted;
  if (!encrypted?.size) return;
  const isTable = renameType === 'OBJECT_TABLE';
  const isColumn = renameType === 'OBJECT_COLUMN' && (encrypted.has(subname) || encrypted.has(newname));
  if (!isTable && !isColumn) return;
  const what = isTable
    ? `protected table "${relation?.relname}"`
    : `a protected column of table "${relation?.relname}"`;
  throw unsupported('definition', `${what} gets another name than in the encryptor configuration`);
}

function judgePolicy(context: Context, statement: Node): boolean {
  const policy = as(statement, 'CreatePolicyStmt') ?? as(statement, 'AlterPolicyStmt');
  if (!policy || !encryptedOf(context, policy.table?.relname)) return false;
  visit(context, [policy.qual, policy.with_check], scopeOf(context, policy.table?.relname));
  return true;
}

function judgeTable(context: Context, statement: Node): boolean {
  const created = as(statement, 'CreateStmt') ?? as(statement, 'CreateForeignTableStmt')?.base;
  const altered = as(statement, 'AlterTableStmt');
  const { relname } = (created ?? altered)?.relation ?? {};
  if (!created && !altered) return false;
  requireNoForeignKeys(statement, context.database.tables);
  requireNoListedChild(context, statement);
  const encrypted = encryptedOf(context, relname);
  if (!encrypted) return false;
  const commands = allAs(altered?.cmds, 'AlterTableCmd');
  requireNoValues([...(created?.tableElts ?? []), ...commands.flatMap(({ def }) => def ?? [])], commands, encrypted);
  requireNoDrop(commands, context.database.tables.get(relname ?? '')?.columns ?? []);
  requireNoKeys(statement, encrypted);
  const scope = scopeOf(context, relname);
  visit(
    context,
    [...expressionsIn(statement, scope, encrypted), ...commands.map(({ def }) => def).filter(isExpression)],
    scope,
  );
  return true;
}

/** What is written to a child or partition is stored in the protected table, as it is: one that the list names is written freely. */
function requireNoListedChild({ database: { tables, receivers } }: Context, statement: Node): void {
  const created = as(statement, 'CreateStmt');
  const altered = as(statement, 'AlterTableStmt');
  const relname = (created ?? altered)?.relation?.relname ?? '';
  const commands = allAs(altered?.cmds, 'AlterTableCmd').map(({ def }) => def);
  const parents = allAs([...(created?.inhRelations ?? []), ...commands.flatMap((def) => def ?? [])], 'RangeVar');
  const partitions = commands.flatMap((def) => as(def, 'PartitionCmd')?.name?.relname ?? []);
  const isParent = (name = '') => (tables.get(name)?.encrypted.size ?? 0) > 0;
  const children = [
    ...(parents.some((parent) => isParent(parent.relname)) ? [relname] : []),
    ...(isParent(relname) ? partitions : []),
  ];
  const found = children.find((name) => receivers.isListed(name));
  if (found === undefined) return;
  throw unsupported('definition', `relation "${found}" of guard.list becomes a part of a protected table`);
}

/** What a command of ALTER TABLE has by itself: that of SET DEFAULT and SET EXPRESSION. */
const isExpression = (def: Node | undefined) => !as(def, 'ColumnDef') && !as(def, 'Constraint');

function expressionsIn(
  statement: Node,
  scope: Scope,
  encrypted: ReadonlyMap<string, EncryptedColumn>,
): (Node | undefined)[] {
  const constraints = allOf(statement, 'Constraint').filter(
    ({ contype, raw_expr }) => contype !== 'CONSTR_CHECK' || !isBelt(raw_expr, encrypted),
  );
  return [
    ...constraints.flatMap(({ raw_expr, where_clause: where }) => [raw_expr, where]),
    ...allOf(statement, 'IndexElem').flatMap(({ expr }) => (expr && !isSearchPart(expr, scope) ? expr : [])),
    ...allOf(statement, 'ColumnDef').map(({ raw_default }) => raw_default),
    ...allOf(statement, 'PartitionElem').map(({ expr }) => expr),
  ];
}

/** INSERT without columns and `*` mean the configured ones, in their order. */
function requireNoDrop(commands: ReturnType<typeof allAs<'AlterTableCmd'>>, columns: readonly string[]): void {
  const dropped = commands.find(({ subtype, name = '' }) => subtype === 'AT_DropColumn' && columns.includes(name));
  if (dropped === undefined) return;
  throw unsupported(
    'definition',
    `column "${dropped.name}" of a protected table is dropped, and the encryptor configuration has it`,
  );
}

function requireNoValues(
  definitions: readonly Node[],
  commands: ReturnType<typeof allAs<'AlterTableCmd'>>,
  encrypted: ReadonlyMap<string, EncryptedColumn>,
): void {
  const given = [
    ...commands.flatMap(({ subtype, name, def }) => (subtype === 'AT_ColumnDefault' && !isNull(def) ? name : [])),
    ...commands.flatMap(({ name, def }) => (isNull(as(def, 'ColumnDef')?.raw_default) ? [] : name)),
    ...allAs(definitions, 'ColumnDef').flatMap(({ colname, constraints }) => {
      const each = allAs(constraints, 'Constraint');
      return each.some(({ contype = '', raw_expr }) => WITH_VALUE.includes(contype) && !isNull(raw_expr))
        ? colname
        : [];
    }),
  ];
  const found = given.find((name) => name !== undefined && encrypted.has(name));
  if (found === undefined) return;
  throw unsupported(
    'definition',
    `the definition of protected column "${found}" holds a value, which the database would store as it is`,
  );
}
