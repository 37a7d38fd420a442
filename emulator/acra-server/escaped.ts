/**
 * How acra-server 0.96.0 reads bytea's text forms (acra-server contract 11.7), where it differs from PostgreSQL: a control
 * character makes the escape form unreadable, white space the hex form; octal digits may exceed a byte.
 */

export type Escaped =
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  /** Begins with `\x`, and is not hex. */
  | { readonly kind: 'not-hex' }
  /** A backslash that begins no escape, or a control character. */
  | { readonly kind: 'not-escaped'; readonly hasControl: boolean };

const CONTROL = /\p{Cc}/u;
/** A backslash or a byte in octal. */
const ESCAPE = /\\(?:(\\)|([0-7]{3}))/g;

/** @param text UTF-8 */
export function decodeEscaped(text: Buffer): Escaped {
  const characters = text.toString();
  if (characters.startsWith('\\x')) {
    const bytes = Buffer.from(characters.slice(2), 'hex');
    return bytes.length * 2 === characters.length - 2 ? { kind: 'bytes', bytes } : { kind: 'not-hex' };
  }
  const hasControl = CONTROL.test(characters);
  if (hasControl || characters.replace(ESCAPE, '').includes('\\')) return { kind: 'not-escaped', hasControl };
  const octal = (_: string, backslash: string | undefined, digits: string | undefined) =>
    backslash ?? String.fromCharCode(Number.parseInt(digits ?? '0', 8) & 0xff);
  // Byte by byte, so that an octal escape may stand between the bytes of a character.
  return {
    kind: 'bytes',
    bytes: Buffer.from(Buffer.from(characters).toString('latin1').replace(ESCAPE, octal), 'latin1'),
  };
}
