/** Carries a plan out: the literals that it names are replaced by what is to be stored or compared instead. */
import { databaseText } from '../encryptor-config/database-type.ts';
import type { Edit, LiteralEdit } from './draft.ts';
import type { Plan } from './plan.ts';
import { Refusal } from './refusal.ts';
import { isOfEach } from './value-use.ts';

/**
 * @param sql the text that the plan was made for, UTF-8
 * @param values what the database gets for each literal of the plan; in binary form, for an array its text; no text has a quote
 * @param parameterCount that the client has; copies come behind
 * @returns what the database gets to see: bytea's hex form, or a token, in the place of each literal
 */
export function rewrite(
  sql: Buffer,
  { edits }: Pick<Plan, 'edits'>,
  values: ReadonlyMap<LiteralEdit, Buffer>,
  parameterCount = 0,
): Buffer {
  return splice(sql, edits, (edit) => textFor(edit, values, parameterCount));
}

/** The text with what `replacement` says in the place of each edit. */
export function splice(sql: Buffer, edits: readonly Edit[], replacement: (edit: Edit) => string): Buffer {
  let at = 0;
  const parts = edits.flatMap((edit) => {
    const before = sql.subarray(at, edit.start);
    at = edit.end;
    return [before, Buffer.from(replacement(edit))];
  });
  return Buffer.concat([...parts, sql.subarray(at)]);
}

function textFor(edit: Edit, values: ReadonlyMap<LiteralEdit, Buffer>, parameterCount: number): string {
  if (edit.kind === 'text') return edit.text;
  if (edit.kind === 'parameter') return `$${parameterCount + edit.copy + 1}`;
  const value = protectedValue(values, edit);
  return `'${isOfEach(edit.use) ? value.toString('latin1') : databaseText(edit.use.column, value)}'`;
}

function protectedValue(values: ReadonlyMap<LiteralEdit, Buffer>, literal: LiteralEdit): Buffer {
  const value = values.get(literal);
  if (!value) throw new Refusal('engine', `a value for column "${literal.use.column.name}" is not protected`, '42000');
  return value;
}
