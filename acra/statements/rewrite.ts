/** Carries a plan out: the literals that it names are replaced by what is to be stored or compared instead. */
import { encodeBytea } from '../../postgres/bytea.ts';
import type { LiteralEdit } from './draft.ts';
import type { Plan } from './judge.ts';

/** Makes of a literal the bytes that the database gets. */
export type ProtectLiteral = (literal: LiteralEdit) => Buffer;

/**
 * @param sql the text that the plan was made for, UTF-8
 * @returns what the database gets to see: bytea's hex form in the place of each literal
 * @throws whatever `protect` throws
 */
export function rewrite(sql: Buffer, { edits }: Plan, protect: ProtectLiteral): Buffer {
  let at = 0;
  const parts = edits.flatMap((edit) => {
    const before = sql.subarray(at, edit.start);
    at = edit.end;
    const text = edit.kind === 'text' ? edit.text : `'${encodeBytea(protect(edit))}'`;
    return [before, Buffer.from(text)];
  });
  return Buffer.concat([...parts, sql.subarray(at)]);
}
