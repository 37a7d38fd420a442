/**
 * Which bytes acra-server 0.96.0 takes a literal or parameter for (acra-server contract 11.7). Where it would send the value
 * on in plaintext, because it cannot read it, the stand-in refuses.
 */
import { scanAcraString } from '../../acra/statements/acra-scanner.ts';
import type { LiteralEdit } from '../../acra/statements/draft.ts';
import { Refusal } from '../../acra/statements/refusal.ts';
import type { ValueUse } from '../../acra/statements/value-use.ts';
import type { Cipher } from './cipher.ts';
import { decodeEscaped } from './escaped.ts';

/** 22023 where PostgreSQL would refuse it as well; between hex digits it allows white space, which acra-server does not read. */
function notHex({ column }: ValueUse, text: Buffer): Refusal {
  const isHexToPostgres = /^\\x(?:\s*[0-9a-f]{2})*\s*$/i.test(text.toString());
  if (isHexToPostgres) return inPlaintext(column.name, 'white space between hex digits');
  return new Refusal(
    'acra-server',
    `the value for column "${column.name}" begins with \\x and is no valid bytea`,
    '22023',
  );
}

function inPlaintext(column: string, reason: string): Refusal {
  return new Refusal(
    'acra-server',
    `acra-server would send the value for column "${column}" in plaintext, because of ${reason}`,
  );
}

function protect(cipher: Cipher, { column, role }: ValueUse, bytes: Buffer): Buffer {
  return role === 'store' ? cipher.encrypt(column, bytes) : cipher.searchHash(column, bytes);
}

function literalBytes({ use, token, value }: LiteralEdit): Buffer {
  const isEscapeString = /^e'/i.test(token);
  if (!isEscapeString && !token.startsWith("'")) return Buffer.from(value);
  const scanned = scanAcraString(token);
  if (scanned === undefined)
    throw new Refusal('acra-server', 'acra-server would read another statement: a backslash before a quote');
  const text = Buffer.from(scanned);
  if (!isEscapeString && use.column.dataType === 'str') return text;
  const escaped = decodeEscaped(text);
  if (escaped.kind === 'not-hex') throw notHex(use, text);
  return escaped.kind === 'bytes' ? escaped.bytes : text;
}

/** What the database gets instead. @throws Refusal 22023, 42000 @throws SessionError 58000 without a key */
export function protectLiteral(cipher: Cipher, literal: LiteralEdit): Buffer {
  return protect(cipher, literal.use, literalBytes(literal));
}

function textParameterBytes(use: ValueUse, value: Buffer): Buffer {
  const escaped = decodeEscaped(value);
  if (escaped.kind === 'bytes') return escaped.bytes;
  if (escaped.kind === 'not-hex') throw notHex(use, value);
  const { name } = use.column;
  if (!escaped.hasControl)
    throw new Refusal('acra-server', `the value for column "${name}" is no valid bytea`, '22P02');
  throw inPlaintext(name, 'a control character (a line break, say) in text format; send it in binary format');
}

/**
 * What the database gets instead, in binary format. NULL is compared as an empty value, and stored as NULL.
 * @throws Refusal 22023, 22P02, 42000 @throws SessionError 58000 without a key
 */
export function protectParameter(
  cipher: Cipher,
  use: ValueUse,
  value: Buffer | null,
  isBinary: boolean,
): Buffer | null {
  if (value === null) return use.role === 'store' ? null : protect(cipher, use, Buffer.alloc(0));
  return protect(cipher, use, isBinary ? value : textParameterBytes(use, value));
}
