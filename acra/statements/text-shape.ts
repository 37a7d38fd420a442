/**
 * What a query is without the numbers that its columns are compared with: clients of the simple protocol send the same one with another number each time. Of texts
 * that are so plain that it can be told without the grammar: words, numbers, and a few signs, in which `= 5` is an integer constant wherever it stands. No rule
 * of the judge looks at what such a constant is, only at where (`test/acra/statements/text-shape.test.ts`); of places in ORDER BY, GROUP BY and
 * LIMIT it does, and of what SET and functions get as a text, and none of these stands behind a lone `=` in a SELECT.
 */

/** One SELECT: no quotes, comments, dollars, casts, or anything beyond ASCII; a semicolon at the end. */
const PLAIN_SELECT = /^[ \t\r\n\f]*select[ \t\r\n\f][\w \t\r\n\f.,()*=<>+-]*;?[ \t\r\n\f]*$/i;
const COMMENT = /--/;
/** Behind `=` alone, up to the end of the number as every PostgreSQL reads it; of no more digits than an int4 has for sure. */
const COMPARED = /(?<![=<>*+-])(=[ \t\r\n\f]*)(\d{1,9})(?=[ \t\r\n\f),;]|$)/g;
/** What stands for each number; a text with more of them has no shape. */
const NAMES = 'abcdefghijklmnopqrstuvwxyz';

/**
 * @returns undefined for a text of which that cannot be told, or that has no such number; of texts with the same shape none has another plan, unless a
 * number of theirs is a value (then the plan has an edit). Equal numbers stay equal.
 */
export function shapeOf(text: string): string | undefined {
  if (!PLAIN_SELECT.test(text) || COMMENT.test(text)) return undefined;
  const names = new Map<string, string>();
  const nameOf = (number: string) => {
    const name = names.get(number) ?? NAMES[names.size] ?? '';
    if (name !== '') names.set(number, name);
    return name === '' ? number : `?${name}`;
  };
  // No text of those above has a `?`.
  const shape = text.replaceAll(COMPARED, (_, sign: string, number: string) => sign + nameOf(number));
  return names.size > 0 ? shape : undefined;
}
