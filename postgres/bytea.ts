/** bytea's text forms (PostgreSQL 18, "Binary Data Types"; src/backend/utils/adt/varlena.c, byteain, and encode.c, hex_decode). */

/** The form that PostgreSQL writes by default. */
export function encodeBytea(bytes: Buffer): string {
  return `\\x${bytes.toString('hex')}`;
}

const BACKSLASH = 0x5c;
const X = 0x78;
const PREFIX_BYTES = 2;
const NO_DIGIT = 0xff;
const SPACE = 0xfe;
/** What each byte stands for as a digit. */
const DIGITS = Buffer.alloc(256, NO_DIGIT);
for (const space of ' \n\t\r') DIGITS[space.charCodeAt(0)] = SPACE;
for (let value = 0; value < 16; value++) {
  const digit = value.toString(16);
  for (const form of [digit, digit.toUpperCase()]) DIGITS[form.charCodeAt(0)] = value;
}

/** One number from digits of so many bits each; undefined where one is no digit, or none. */
function numberAt(text: Buffer, at: number, digits: number, bits: number): number | undefined {
  let number = 0;
  for (let offset = at; offset < at + digits; offset++) {
    const digit = DIGITS[text[offset] ?? 0] ?? NO_DIGIT;
    if (digit >>> bits !== 0) return undefined;
    number = (number << bits) | digit;
  }
  return number;
}

/** White space stands between pairs, not within one. */
function decodeSpacedHex(text: Buffer): Buffer | undefined {
  const bytes = Buffer.alloc(text.length >>> 1);
  let length = 0;
  for (let at = PREFIX_BYTES; at < text.length; ) {
    if (DIGITS[text[at] ?? 0] === SPACE) {
      at += 1;
      continue;
    }
    const byte = numberAt(text, at, 2, 4);
    if (byte === undefined) return undefined;
    bytes[length++] = byte;
    at += 2;
  }
  return bytes.subarray(0, length);
}

/** Node's own decoder, which is the quickest, stops at what is no pair of digits. */
function decodeHex(text: Buffer): Buffer | undefined {
  const digits = text.toString('latin1', PREFIX_BYTES);
  const bytes = Buffer.from(digits, 'hex');
  return 2 * bytes.length === digits.length ? bytes : decodeSpacedHex(text);
}

/** A byte is itself; a backslash is two, and any byte may be a backslash and three octal digits. */
function decodeEscape(text: Buffer): Buffer | undefined {
  const bytes = Buffer.alloc(text.length);
  let length = 0;
  for (let at = 0; at < text.length; ) {
    const isEscaped = text[at] === BACKSLASH && text[at + 1] !== BACKSLASH;
    const byte = isEscaped ? numberAt(text, at + 1, 3, 3) : text[at];
    if (byte === undefined || byte > 0xff) return undefined;
    bytes[length++] = byte;
    if (isEscaped) at += 4;
    else at += byte === BACKSLASH ? 2 : 1;
  }
  return bytes.subarray(0, length);
}

/** Both forms, as PostgreSQL reads them. @returns undefined for what it would refuse */
export function decodeBytea(text: Buffer): Buffer | undefined {
  if (text[0] === BACKSLASH && text[1] === X) return decodeHex(text);
  return text.includes(BACKSLASH) ? decodeEscape(text) : text;
}
