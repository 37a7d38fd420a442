/**
 * Decides by PostgreSQL's own grammar what becomes of one SQL text before it may reach the database: pure, from the protected
 * tables and the parsed text to a plan or a refusal. What views, rules, triggers and functions that exist already would write
 * is not to be seen here, as with acra-server.
 */
import type { Migration } from '../migration/migration.ts';
import type { Sides } from '../migration/sides.ts';
import { planBetween } from './between.ts';
import { Draft, type Reader } from './draft.ts';
import { factsOf } from './facts-of.ts';
import { type Judged, judgeStatement } from './grammar/commands.ts';
import { fence } from './grammar/fence.ts';
import { receiversOf } from './grammar/receivers.ts';
import type { Database } from './grammar/relations.ts';
import { namesMadeIn } from './names-made.ts';
import { outputsOf } from './outputs.ts';
import type { ParsedText } from './parser.ts';
import type { Plan, Prepared, PreparedStatements } from './plan.ts';
import type { Policy } from './policy.ts';
import { readSince } from './read-since.ts';
import { Refusal } from './refusal.ts';
import type { RefusalKind } from './refusal-kinds.ts';
import type { Tables } from './scope.ts';
import { judgeSearch } from './search.ts';
import type { TextFacts } from './statement-kinds.ts';
import { allOf } from './tree.ts';
import { takesValues } from './value-use.ts';
import { judgeWrites } from './writes.ts';

export type Verdict =
  | { readonly kind: 'passes'; readonly plan: Plan }
  /** The text, as it is, must not reach the database. `reason` holds no value. */
  | {
      readonly kind: 'refused';
      readonly refusal: RefusalKind;
      readonly sqlState: string;
      readonly reason: string;
      /** Undefined where the text could not be read. */
      readonly facts: TextFacts | undefined;
    };

interface Question {
  readonly database: Database;
  readonly text: ParsedText;
  readonly reader: Reader;
  readonly prepared: PreparedStatements | undefined;
  /** What the session is before the switch of. */
  readonly fenced: readonly Migration[];
}

function planFor({ database, text, reader, prepared, fenced }: Question): Plan {
  const { tables } = database;
  const { statements, starts } = text;
  const draft = new Draft(text, reader);
  const isAlone = statements.length === 1;
  const before = new Map<string, Prepared>();
  const judged = statements.map((statement, at): Judged => {
    const byGrammar =
      reader === 'engine' ? judgeStatement({ draft, database, prepared, before, at }, statement) : undefined;
    if (byGrammar?.effect?.does === 'prepare') before.set(byGrammar.effect.name, byGrammar.effect.prepared);
    if (byGrammar) return byGrammar;
    judgeUnknown(reader, () => {
      judgeWrites(draft, tables, statement, isAlone);
      judgeSearch(draft, tables, statement, isAlone);
    });
    return { outputs: isAlone && reader === 'acra-server' ? outputsOf(tables, statement) : [] };
  });
  if (reader === 'acra-server' && prepared) requireUnprotected(prepared);
  if (fenced.length > 0) for (const [at, each] of statements.entries()) fence(draft, each, starts[at] ?? 0, fenced);
  const { parameters, copies } = draft.takeParameters();
  const numbers = copies.length > 0 ? allOf(statements, 'ParamRef').map(({ number = 0 }) => number) : [];
  return {
    parameters,
    copies,
    edits: draft.finish(),
    readSince: readSince(text),
    parameterCount: numbers.reduce((most, number) => Math.max(most, number), 0),
    results: judged.map(({ outputs }) => outputs),
    effects: judged.flatMap(({ effect }) => effect ?? []),
    fetches: judged.flatMap(({ fetches }) => fetches ?? []),
    executes: allOf(statements, 'ExecuteStmt').map(({ name = '' }) => name),
    ...factsOf(statements, (at) => judged[at]?.copied),
  };
}

/** What the rules for acra-server say of a statement that the grammar's have no rule for. */
function judgeUnknown(reader: Reader, judgeInLine: () => void): void {
  try {
    judgeInLine();
  } catch (error) {
    if (reader === 'acra-server' || !(error instanceof Refusal) || error.kind !== 'acra-server') throw error;
    const reason = 'a statement of this kind gives a value to a protected table, and is not followed';
    throw new Refusal('statement-unknown', reason);
  }
}

/** acra-server does not look at the values of EXECUTE. */
function requireUnprotected(prepared: PreparedStatements): void {
  if (prepared.values().some(takesValues))
    throw new Refusal('acra-server', 'EXECUTE passes values for protected columns');
}

/** The same for all statements. */
export interface JudgeSettings {
  readonly tables: Tables;
  readonly reader: Reader;
  readonly policy: Policy;
}

/** One text, as it goes to another thread. */
export interface JudgeQuestion {
  readonly sql: string;
  readonly prepared: PreparedStatements | undefined;
  /** Default: behind every switch. */
  readonly sides?: Sides | undefined;
}

export function refusedBy({ kind, sqlState, message }: Refusal, facts?: TextFacts): Verdict {
  return { kind: 'refused', refusal: kind, sqlState, reason: message, facts };
}

/**
 * @param prepared the statements that the text executes, where it is known which these are
 * @param sides of the session; default: behind every switch
 * @throws BrokenParserError when the tokens that it needs cannot be had
 */
export function judge(
  settings: JudgeSettings,
  text: ParsedText,
  prepared?: PreparedStatements,
  sides?: Sides,
): Verdict {
  const { reader, policy } = settings;
  const { uniqueSearches } = policy.list;
  const planWith = (tables: Tables, fenced: readonly Migration[]) =>
    planFor({ database: { tables, receivers: receiversOf(policy), uniqueSearches }, text, reader, prepared, fenced });
  try {
    const plan = sides ? planBetween(text, settings.tables, sides, planWith) : planWith(settings.tables, []);
    return { kind: 'passes', plan };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return refusedBy(error, { ...factsOf(text.statements), names: namesMadeIn(text.statements) });
  }
}
