/**
 * Tells equal statements apart from others in logs, and nothing else of them: what is left of a text without its constants, under a key
 * that is made at random when the guard starts. Nobody can guess a text by computing its fingerprint, and two guards agree in none.
 */
import { createHmac } from 'node:crypto';
import type { Random } from '../../runtime/random.ts';

const KEY_BYTES = 32;
const SHOWN_DIGITS = 16;

/** Of a text that PostgreSQL's grammar does not read, or not here: long ones are cut. */
function withoutConstants(text: string): string {
  return text
    .replaceAll(/\$(\w*)\$.*?(?:\$\1\$|$)/gs, '?')
    .replaceAll(/'(?:[^']|'')*(?:'|$)/g, '?')
    .replaceAll(/\b\d[\w.]*/g, '?')
    .replaceAll(/\s+/g, ' ');
}

/** @param shapeOf what the grammar makes of a text, without its constants; undefined where it does not read it */
export function fingerprinter(
  random: Random,
  shapeOf: (sql: string) => string | undefined,
): (latin1Sql: string) => string {
  const key = random.bytes(KEY_BYTES);
  return (latin1Sql) => {
    const sql = Buffer.from(latin1Sql, 'latin1').toString();
    const shape = shapeOf(sql) ?? withoutConstants(sql);
    return createHmac('sha256', key).update(shape).digest('hex').slice(0, SHOWN_DIGITS);
  };
}
