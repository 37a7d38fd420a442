/** bytea's text forms (PostgreSQL 18, "Binary Data Types"; src/backend/utils/adt/varlena.c, byteain, and encode.c, hex_decode). */

/** The form that PostgreSQL writes by default. */
export function encodeBytea(bytes: Buffer): string {
  return `\\x${bytes.toString('hex')}`;
}

const BACKSLASH = 0x5c;
/** Between pairs of hex digits, not within one. */
const SPACES = /[ \n\t\r]+/;
const OCTAL = /^[0-3][0-7][0-7]$/;

/** Node stops at what is no pair of digits. */
function decodePairs(digits: string): Buffer | undefined {
  const bytes = Buffer.from(digits, 'hex');
  return 2 * bytes.length === digits.length ? bytes : undefined;
}

function decodeHex(digits: string): Buffer | undefined {
  const bytes = decodePairs(digits);
  if (bytes) return bytes;
  const runs = digits.split(SPACES);
  return runs.every(({ length }) => length % 2 === 0) ? decodePairs(runs.join('')) : undefined;
}

/** One byte and how many characters stand for it: itself, two backslashes for one, or a backslash and three octal digits. */
function escapeAt(text: Buffer, at: number): { readonly byte: number; readonly length: number } | undefined {
  const [byte = 0, next] = [text[at], text[at + 1]];
  if (byte !== BACKSLASH) return { byte, length: 1 };
  if (next === BACKSLASH) return { byte, length: 2 };
  const octal = text.toString('latin1', at + 1, at + 4);
  return OCTAL.test(octal) ? { byte: Number.parseInt(octal, 8), length: 4 } : undefined;
}

function decodeEscape(text: Buffer): Buffer | undefined {
  const bytes: number[] = [];
  for (let at = 0; at < text.length; ) {
    const found = escapeAt(text, at);
    if (!found) return undefined;
    bytes.push(found.byte);
    at += found.length;
  }
  return Buffer.from(bytes);
}

/** Both forms, as PostgreSQL reads them. @returns undefined for what it would refuse */
export function decodeBytea(text: Buffer): Buffer | undefined {
  if (text[0] === BACKSLASH && text[1] === 0x78) return decodeHex(text.toString('latin1', 2));
  return text.includes(BACKSLASH) ? decodeEscape(text) : text;
}
