/** Carries a plan out: the literals that it names are replaced by what is to be stored or compared instead. */
import { encodeBytea } from '../../postgres/bytea.ts';
import type { LiteralEdit } from './draft.ts';
import type { Plan } from './judge.ts';
import { Refusal } from './refusal.ts';

/**
 * @param sql the text that the plan was made for, UTF-8
 * @param values what the database gets for each literal of the plan
 * @returns what the database gets to see: bytea's hex form in the place of each literal
 */
export function rewrite(sql: Buffer, { edits }: Plan, values: ReadonlyMap<LiteralEdit, Buffer>): Buffer {
  let at = 0;
  const parts = edits.flatMap((edit) => {
    const before = sql.subarray(at, edit.start);
    at = edit.end;
    const text = edit.kind === 'text' ? edit.text : `'${encodeBytea(protectedValue(values, edit))}'`;
    return [before, Buffer.from(text)];
  });
  return Buffer.concat([...parts, sql.subarray(at)]);
}

function protectedValue(values: ReadonlyMap<LiteralEdit, Buffer>, literal: LiteralEdit): Buffer {
  const value = values.get(literal);
  if (!value) throw new Refusal(`a value for column "${literal.use.column.name}" is not protected`);
  return value;
}
