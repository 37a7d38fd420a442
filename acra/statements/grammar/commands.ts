/** Statements that hold others: EXPLAIN, PREPARE and EXECUTE, cursors, COPY, tables made from one. */
import type { CopyStmt, ExecuteStmt, Node, PrepareStmt } from 'libpg-query';
import type { ProtectedCopy } from '../copy-stream.ts';
import type { Draft } from '../draft.ts';
import { nameEndedBy } from '../names-made.ts';
import type { Result } from '../outputs.ts';
import type { Effect, Plan, Prepared, PreparedStatements } from '../plan.ts';
import { allAs, as } from '../tree.ts';
import { isOfEach } from '../value-use.ts';
import { takeArray } from './arrays.ts';
import { namedIn } from './code.ts';
import { type Column, isProtected } from './columns.ts';
import { copyOfQuery, copyOfTable } from './copy.ts';
import { judgeDefinition } from './definitions.ts';
import { judgeExpression, judgeQuery } from './judge-query.ts';
import { requireNoCopy } from './queries.ts';
import { type Database, Scope } from './relations.ts';
import { judgeSettings } from './settings.ts';
import { unsupported } from './unsupported.ts';

export interface Judged {
  readonly outputs: readonly Result[];
  readonly effect?: Effect;
  readonly fetches?: Plan['fetches'][number];
  readonly copied?: ProtectedCopy | undefined;
}

export interface StatementContext {
  readonly draft: Draft;
  readonly database: Database;
  /** Undefined when it is not known yet which names EXECUTE finds. */
  readonly prepared: PreparedStatements | undefined;
  /** Those that statements further up in the same text prepare: had one failed, this one would not be carried out. */
  readonly before: PreparedStatements;
  /** Which statement of the text it is. */
  readonly at: number;
}

const nothing: Judged = { outputs: [] };

/** @returns undefined for a statement that this cannot judge. @throws Refusal */
export function judgeStatement(context: StatementContext, statement: Node): Judged | undefined {
  const { at } = context;
  const [explain, prepare, execute] = [
    as(statement, 'ExplainStmt'),
    as(statement, 'PrepareStmt'),
    as(statement, 'ExecuteStmt'),
  ];
  const [declare, fetch] = [as(statement, 'DeclareCursorStmt'), as(statement, 'FetchStmt')];
  if (explain?.query) return judgeStatement(context, explain.query) && nothing;
  if (prepare?.query) return judgePrepare(context, prepare, prepare.query);
  if (execute) return { outputs: judgeExecute(context, execute) };
  if (declare?.query) return judgeDeclare(context, declare.portalname ?? '', declare.query);
  if (fetch) return fetch.ismove ? nothing : { outputs: [], fetches: { at, name: fetch.portalname ?? '' } };
  const ended = nameEndedBy(statement, at);
  if (ended) return { outputs: [], effect: ended };
  const copy = as(statement, 'CopyStmt');
  if (copy) return judgeCopy(context, copy);
  judgeSettings(statement);
  requireReceivers(context, statement);
  if (judgeDefinition(context, statement)) return nothing;
  return (
    judgeView(context, statement) ??
    judgeSchema(context, statement) ??
    judgeMaker(context, statement) ??
    judgeRows(context, statement)
  );
}

function resultOf({ output, name, isReference = false }: Column): Result {
  if (isProtected(output)) return { column: output, name, isReference };
  return output;
}

function judgeRows({ draft, database }: StatementContext, statement: Node): Judged | undefined {
  const columns = judgeQuery(draft, database, statement);
  if (columns) requirePlace(columns);
  return columns && { outputs: columns.map(resultOf) };
}

/** Between two `*` of nobody knows how many columns a protected one could not be told from the others. @throws Refusal */
function requirePlace(columns: readonly Column[]): void {
  const stars = columns.flatMap(({ output }, index) => (output === 'unknown-star' ? [index] : []));
  const [first = 0, last = 0] = [stars[0], stars.at(-1)];
  const found = columns.slice(first, last).find(({ output }) => isProtected(output));
  if (found)
    throw unsupported(
      'ambiguous-name',
      `the place of protected column "${found.name ?? ''}" among the results is not known: name the columns of the relations around it`,
    );
}

/** CALL and DO: what they give values to. @throws Refusal */
function requireReceivers({ draft, database }: StatementContext, statement: Node): void {
  const call = as(statement, 'CallStmt')?.funccall;
  if (call) judgeExpression(draft, database, { FuncCall: call });
  if (as(statement, 'DoStmt')) database.receivers.requireNoCode();
}

/** What a view compares is rewritten as in any query; what it yields is ciphertext to whoever reads it: no configuration names its columns. */
function judgeView(context: StatementContext, statement: Node): Judged | undefined {
  const { view, query } = as(statement, 'ViewStmt') ?? {};
  if (!query || !judgeStatement(context, query)) return undefined;
  const { tables, receivers } = context.database;
  const { relname = '' } = view ?? {};
  if (tables.get(relname)?.encrypted.size || (receivers.isListed(relname) && namedIn(query, tables) !== undefined)) {
    throw unsupported('definition', `view "${relname}" would stand where the configuration knows another relation`);
  }
  return nothing;
}

function judgeSchema(context: StatementContext, statement: Node): Judged | undefined {
  const elements = as(statement, 'CreateSchemaStmt')?.schemaElts;
  for (const each of elements ?? []) judgeStatement(context, each);
  return elements && nothing;
}

function judgeCopy(context: StatementContext, copy: CopyStmt): Judged | undefined {
  const { draft, database } = context;
  if (copy.is_from && copy.relation) database.receivers.requireWritable(copy.relation, database.tables);
  if (!copy.query) return { outputs: [], copied: copyOfTable(draft, database, copy) };
  const judged = judgeStatement(context, copy.query);
  return judged && { outputs: [], copied: copyOfQuery(copy, judged.outputs) };
}

/** CREATE TABLE AS and CREATE MATERIALIZED VIEW. */
function judgeMaker(context: StatementContext, statement: Node): Judged | undefined {
  const made = as(statement, 'CreateTableAsStmt');
  const judged = made?.query && judgeStatement(context, made.query);
  if (!judged) return undefined;
  const columns = judged.outputs.map((result) => ({
    name: undefined,
    output: typeof result === 'object' ? result.column : result,
  }));
  requireNoCopy(columns, made.into?.rel?.relname, new Scope(context.database));
  return nothing;
}

const holding = ({ outputs }: Judged): Prepared => ({
  parameters: new Map(),
  copies: [],
  results: [outputs],
  executes: [],
  fetches: [],
  effects: [],
  kinds: [],
  streams: [],
});

function judgePrepare(
  context: StatementContext,
  { name = '', argtypes }: PrepareStmt,
  query: Node,
): Judged | undefined {
  const { draft, at } = context;
  const judged = judgeStatement(context, query);
  if (!judged) return undefined;
  const { parameters, copies } = draft.takeParameters(query);
  if (copies.length > 0)
    throw unsupported('value-shared', 'one parameter of PREPARE is used for a protected column and for something else');
  for (const [index, type] of allAs(argtypes, 'TypeName').entries()) {
    const use = parameters.get(index + 1);
    if (use && !draft.takeType(type, use.column, isOfEach(use))) {
      throw unsupported(
        'cast',
        `parameter ${index + 1} for column "${use.column.name}" has a type that is not the column's`,
      );
    }
  }
  return {
    outputs: [],
    effect: { at, does: 'prepare', name, prepared: { ...holding(judged), parameters, copies } },
  };
}

function judgeExecute(
  { draft, database, prepared, before }: StatementContext,
  { name = '', params = [] }: ExecuteStmt,
): readonly Result[] {
  const statement = before.get(name) ?? prepared?.get(name);
  if (!statement && !prepared) return [];
  if (!statement && params.length > 0) {
    throw unsupported('prepared-name', 'EXECUTE passes values to a statement that was not prepared in this session');
  }
  if (statement && statement.copies.length > 0) {
    throw unsupported(
      'value-shared',
      'EXECUTE passes a value that is for a protected column and for something else: bind it instead',
    );
  }
  for (const [index, value] of params.entries()) {
    const use = statement?.parameters.get(index + 1);
    if (use && isOfEach(use)) takeArray(draft, value, use.column, use.role === 'store-each' ? 'store' : 'search');
    else if (use) draft.takeValue(value, use);
    else judgeExpression(draft, database, value);
  }
  return statement?.results[0] ?? [];
}

function judgeDeclare(context: StatementContext, name: string, query: Node): Judged | undefined {
  const judged = judgeStatement(context, query);
  return judged && { outputs: [], effect: { at: context.at, does: 'declare', name, prepared: holding(judged) } };
}
