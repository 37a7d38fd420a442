/**
 * Decides by PostgreSQL's own grammar what becomes of one SQL text before it may reach the database: pure, from the protected
 * tables and the parsed text to a plan or a refusal. What views, rules, triggers and functions that exist already would write
 * is not to be seen here, as with acra-server.
 */
import { Draft, type Edit, type Reader } from './draft.ts';
import { type Output, outputsOf } from './outputs.ts';
import type { ParsedText } from './parser.ts';
import { Refusal } from './refusal.ts';
import type { Tables } from './scope.ts';
import { judgeSearch } from './search.ts';
import { allAs, allOf } from './tree.ts';
import type { ValueUse } from './value-use.ts';
import { judgeWrites } from './writes.ts';

/** What is to be done with a statement. Plain data: it may come from another thread. */
export interface Plan {
  /** In the order of the text, without overlap. */
  readonly edits: readonly Edit[];
  /** By parameter number, from 1. */
  readonly parameters: ReadonlyMap<number, ValueUse>;
  readonly outputs: readonly Output[];
  /** Prepared statements that EXECUTE gives values to. */
  readonly executes: readonly string[];
  /** The client is to be asked for data (COPY … FROM STDIN). */
  readonly copiesIn: boolean;
}

export type Verdict =
  | { readonly kind: 'passes'; readonly plan: Plan }
  /** The text, as it is, must not reach the database. `reason` holds no value. */
  | { readonly kind: 'refused'; readonly sqlState: string; readonly reason: string };

function planFor(tables: Tables, text: ParsedText, reader: Reader): Plan {
  const { statements } = text;
  const draft = new Draft(text, reader);
  const [first] = statements;
  const isAlone = statements.length === 1;
  for (const statement of statements) {
    judgeWrites(draft, tables, statement, isAlone);
    judgeSearch(draft, tables, statement, isAlone);
  }
  return {
    edits: draft.finish(),
    parameters: draft.parameters,
    outputs: first && isAlone ? outputsOf(tables, first) : [],
    executes: allOf(statements, 'ExecuteStmt').map(({ name = '' }) => name),
    copiesIn: allAs(statements, 'CopyStmt').some(({ is_from, filename }) => is_from === true && !filename),
  };
}

/** The same for all statements. */
export interface JudgeSettings {
  readonly tables: Tables;
  readonly reader: Reader;
}

export function refusedBy({ sqlState, message }: Refusal): Verdict {
  return { kind: 'refused', sqlState, reason: message };
}

/** @throws BrokenParserError when the tokens that it needs cannot be had */
export function judge(tables: Tables, text: ParsedText, reader: Reader = 'acra-server'): Verdict {
  try {
    return { kind: 'passes', plan: planFor(tables, text, reader) };
  } catch (error) {
    if (error instanceof Refusal) return refusedBy(error);
    throw error;
  }
}
