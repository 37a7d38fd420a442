/** Text of a stranger (an image, an enclave) as it may be shown on a terminal: nothing in it is obeyed or ends the line. */

/**
 * C0 but for the tab, DEL and C1; the separators of lines and paragraphs, where some terminals and editors break; marks,
 * embeddings, overrides and isolates of direction (Unicode TR 9), which show text in another order than it has.
 */
const OBEYED = /[^\P{Cc}\t]|[\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Shows them as `\xNN` or `\uNNNN`. */
export function harmlessText(text: string): string {
  return text.replace(OBEYED, (character) => {
    const digits = character.charCodeAt(0).toString(16);
    return digits.length > 2 ? `\\u${digits.padStart(4, '0')}` : `\\x${digits.padStart(2, '0')}`;
  });
}

/** The same of a line of JSON, which then holds what it held before: JSON has C0 escaped already, and names the others by `\uNNNN`. */
export function harmlessJson(line: string): string {
  return line.replace(OBEYED, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** What a stranger said, to be quoted in a message: harmless, in one line, and never longer than `maxLength` characters. */
export function quoteStranger(text: string, maxLength: number): string {
  const line = harmlessText(text.trim().replace(/\s+/g, ' '));
  return line.length <= maxLength ? line : `${line.slice(0, maxLength - 1)}…`;
}
