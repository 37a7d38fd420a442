/** What the objects are called that hold a database to the configuration. */
import { createHash } from 'node:crypto';

/** NAMEDATALEN - 1: longer names PostgreSQL would cut off, and take two for one. */
const MAX_NAME_BYTES = 63;
const DIGEST_CHARACTERS = 8;

/** Of at most 63 bytes. */
function nameOf(prefix: string, parts: readonly string[]): string {
  const name = [prefix, ...parts].join('_');
  return Buffer.byteLength(name) <= MAX_NAME_BYTES ? name : nameWithDigest(prefix, parts);
}

/** Of at most 63 bytes, and another one for other parts, whose `_` may be anywhere. */
export function nameWithDigest(prefix: string, parts: readonly string[]): string {
  const name = [prefix, ...parts].join('_');
  const digest = createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, DIGEST_CHARACTERS);
  const room = MAX_NAME_BYTES - DIGEST_CHARACTERS - 1;
  return `${Buffer.from(name)
    .subarray(0, room)
    .toString()
    .replace(/\ufffd+$/, '')}_${digest}`;
}

/** Of the CHECK constraint on a column; names of constraints are a table's own. */
export const beltName = (column: string) => nameOf('acra_belt', [column]);

/** Of the unique index on search hashes; names of indexes are a schema's, where `a.b_c` is not to be taken for `a_b.c`. */
export function uniqueIndexName(table: string, columns: readonly string[]): string {
  const parts = [table, ...columns];
  return (parts.some((part) => part.includes('_')) ? nameWithDigest : nameOf)('acra_unique', parts);
}
