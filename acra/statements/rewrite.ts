/** Carries a plan out: the literals that it names are replaced by what the cipher makes of them. */
import type { Plan } from './judge.ts';
import { encodeBytea, protectValue, type ValueCipher } from './values.ts';

/**
 * @param sql the text that the plan was made for, UTF-8
 * @returns what the database gets to see
 * @throws Refusal 22P02 for a literal that is no bytea @throws SessionError 58000 when the keystore lacks a key that it needs
 */
export function rewrite(sql: Buffer, { edits }: Plan, cipher: ValueCipher): Buffer {
  let at = 0;
  const parts = edits.flatMap((edit) => {
    const before = sql.subarray(at, edit.start);
    at = edit.end;
    if (edit.kind === 'text') return [before, Buffer.from(edit.text)];
    const stored = protectValue(cipher, edit.use, Buffer.from(edit.value), false);
    return [before, Buffer.from(`'${encodeBytea(stored)}'`)];
  });
  return Buffer.concat([...parts, sql.subarray(at)]);
}
