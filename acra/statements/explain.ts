/** What the guard would do with a text, told to somebody who asks: no value is protected, none is repeated. */
import type { EncryptedColumn } from '../encryptor-config/schema.ts';
import type { Migration } from '../migration/migration.ts';
import { withHidden } from '../migration/tables.ts';
import type { Edit } from './draft.ts';
import { names } from './grammar/fence.ts';
import { judge } from './judge.ts';
import type { Result } from './outputs.ts';
import { loadParser, type ParsedText, parseText } from './parser.ts';
import type { Plan } from './plan.ts';
import type { Policy } from './policy.ts';
import { Refusal } from './refusal.ts';
import { addressOf } from './refusal-hint.ts';
import { REFUSALS, type RefusalKind } from './refusal-kinds.ts';
import { splice } from './rewrite.ts';
import type { Tables } from './scope.ts';
import { isOfEach, type ValueUse } from './value-use.ts';

export type Explanation =
  | {
      readonly verdict: 'refused';
      readonly kind: RefusalKind;
      readonly sqlState: string;
      readonly reason: string;
      /** The form that is accepted. */
      readonly accepted: string;
      /** Where the kind is described. */
      readonly address: string;
    }
  | {
      readonly verdict: 'passes';
      /** What the database would get; `‹…›` in the place of what would be protected. */
      readonly sql: string;
      /** What is protected, in the order of the text. */
      readonly values: readonly string[];
      /** Of each statement, its protected result columns by their place in the row. */
      readonly decrypted: readonly (readonly string[])[];
      /** What cannot be said from the text alone. */
      readonly depends: readonly string[];
    };

const columnName = ({ table, name }: EncryptedColumn) => `${table}.${name}`;

function whatOf(use: ValueUse): string {
  const what = use.role.startsWith('store') ? 'encrypted for' : 'hash for';
  return `${isOfEach(use) ? 'each ' : ''}${what} ${columnName(use.column)}`;
}

function shown(edit: Edit, parameterCount: number): string {
  if (edit.kind === 'text') return edit.text;
  return edit.kind === 'parameter' ? `$${parameterCount + edit.copy + 1}` : `'‹${whatOf(edit.use)}›'`;
}

/** Of each statement: its rows', or those that COPY sends. */
function outputsIn({ results, streams }: Plan): (readonly Result[])[] {
  return results.map((outputs, at) => {
    const out = streams.find((stream) => stream.at === at && stream.direction === 'out');
    return out?.content?.outputs ?? outputs;
  });
}

function copiedIn({ streams }: Plan): string[] {
  const outputs = streams.flatMap(({ direction, content }) => (direction === 'in' ? (content?.outputs ?? []) : []));
  return outputs.flatMap((output, index) =>
    typeof output === 'object' ? [`column ${index + 1} of COPY: encrypted for ${columnName(output.column)}`] : [],
  );
}

function valuesOf({ edits, parameters, copies, parameterCount }: Plan): string[] {
  const literals = edits.flatMap((edit) => (edit.kind === 'literal' ? [`a literal: ${whatOf(edit.use)}`] : []));
  const own = [...parameters].map(([number, use]) => `$${number}: ${whatOf(use)}`);
  const again = copies.map(
    ({ of, use }, index) => `$${of} once more, as $${parameterCount + index + 1}: ${whatOf(use)}`,
  );
  return [...literals, ...own, ...again];
}

function dependsOn({ executes, fetches }: Plan): string[] {
  const prepared = executes.map((name) => `EXECUTE: what "${name}" was prepared as in the session`);
  return [...prepared, ...fetches.map(({ name }) => `FETCH: what "${name}" was declared for in the session`)];
}

const switchesOf = ({ statements }: ParsedText, migrations: readonly Migration[]) =>
  migrations
    .filter((migration) => statements.some((statement) => names(statement, migration)))
    .map(
      ({ table, column }) => `guard.migrations: until "${column}" of "${table}" is switched, its values go as they are`,
    );

function refused(kind: RefusalKind, sqlState: string, reason: string): Explanation {
  return { verdict: 'refused', kind, sqlState, reason, accepted: REFUSALS[kind].accepted, address: addressOf(kind) };
}

/** @param migrations of the configuration: told is what happens behind their switch */
export async function explain(
  tables: Tables,
  policy: Policy,
  sql: string,
  migrations: readonly Migration[] = [],
): Promise<Explanation> {
  try {
    const text = parseText(await loadParser(), sql);
    const verdict = judge({ tables: withHidden(tables, migrations), policy, reader: 'engine' }, text);
    if (verdict.kind === 'refused') return refused(verdict.refusal, verdict.sqlState, verdict.reason);
    const { plan } = verdict;
    return {
      verdict: 'passes',
      sql: splice(Buffer.from(sql), plan.edits, (edit) => shown(edit, plan.parameterCount)).toString(),
      values: [...valuesOf(plan), ...copiedIn(plan)],
      decrypted: outputsIn(plan).map((outputs) =>
        outputs.flatMap((output, index) =>
          typeof output === 'object' ? [`${index + 1}: ${columnName(output.column)}`] : [],
        ),
      ),
      depends: [...dependsOn(plan), ...switchesOf(text, migrations)],
    };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return refused(error.kind, error.sqlState, error.message);
  }
}
