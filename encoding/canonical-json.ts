/**
 * JSON in one form only, for what is hashed or signed: no white space, members in the order of their names, as the JSON
 * Canonicalization Scheme writes it (RFC 8785). Numbers are safe integers, which are written alike by everybody; names are ASCII,
 * whose order is the same in UTF-16 and in UTF-8; there is no DEL, which jq escapes and RFC 8785 does not. So `jq -cS` writes the same.
 */
import { FormatError } from './format-error.ts';

export type CanonicalValue =
  | string
  | number
  | boolean
  | null
  | readonly CanonicalValue[]
  | { readonly [name: string]: CanonicalValue };

const ASCII_NAME = /^[\x20-\x7e]*$/;

const DEL = '\x7f';

/** @throws FormatError for other numbers, other names, and text that is not Unicode or has a DEL */
export function canonicalJson(value: CanonicalValue): string {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new FormatError('a number is no safe integer');
  if (typeof value === 'string' && !value.isWellFormed()) throw new FormatError('a text is not Unicode');
  if (typeof value === 'string' && value.includes(DEL)) throw new FormatError('a text has the character DEL');
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${memberName(name)}:${canonicalJson(value[name] ?? null)}`).join(',')}}`;
}

function memberName(name: string): string {
  if (!ASCII_NAME.test(name)) throw new FormatError('the name of a member is not ASCII');
  return JSON.stringify(name);
}

/** Array.isArray does not narrow readonly arrays. */
function isArray(value: object): value is readonly CanonicalValue[] {
  return Array.isArray(value);
}
