/**
 * Base64 between Buffers, so that keys never become strings, and strict: one text for each value, no white space, full padding.
 * Node's own decoder leaves out what it does not know. Specification: RFC 4648 sections 3.5 and 4; RFC 5802 section 5.1.
 */

const ALPHABET = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');
const PADDING = 0x3d;
const INVALID = 0xff;
const VALUES = Buffer.alloc(256, INVALID);
for (const [value, character] of ALPHABET.entries()) VALUES[character] = value;

function paddingOf(text: Buffer): number {
  if (text.at(-1) !== PADDING) return 0;
  return text.at(-2) === PADDING ? 2 : 1;
}

/** @returns undefined for anything but the one encoding of some bytes */
export function decodeBase64(text: Buffer): Buffer | undefined {
  if (text.length % 4 !== 0) return undefined;
  const characters = text.length - paddingOf(text);
  const bytes = Buffer.alloc(Math.floor((characters * 3) / 4));
  let bits = 0;
  let bitCount = 0;
  let at = 0;
  for (const character of text.subarray(0, characters)) {
    const value = VALUES[character] ?? INVALID;
    if (value === INVALID) return undefined;
    bits = ((bits << 6) | value) & 0xffff;
    bitCount += 6;
    if (bitCount < 8) continue;
    bitCount -= 8;
    bytes[at++] = (bits >>> bitCount) & 0xff;
  }
  const isCanonical = (bits & ((1 << bitCount) - 1)) === 0;
  return isCanonical ? bytes : undefined;
}

export function encodeBase64(bytes: Buffer): Buffer {
  const text = Buffer.alloc(Math.ceil(bytes.length / 3) * 4, PADDING);
  for (let at = 0; at < Math.ceil((bytes.length * 4) / 3); at++) {
    const from = Math.floor((at * 6) / 8);
    const pair = ((bytes[from] ?? 0) << 8) | (bytes[from + 1] ?? 0);
    text[at] = ALPHABET[(pair >>> (10 - ((at * 6) % 8))) & 0x3f] ?? PADDING;
  }
  return text;
}
