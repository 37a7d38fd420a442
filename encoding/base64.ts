/**
 * Base64 of what is no secret, strictly: one text for each value and alphabet, padded, no white space. Node's own decoder leaves out
 * what it does not know. Specification: RFC 4648 sections 3.5, 4 and 5.
 */
import { FormatError } from './format-error.ts';

const URL_SAFE = /[-_]/;

/** The standard alphabet, or the one for URLs where `alphabets` allows both. @throws FormatError */
export function decodeStrictBase64(what: string, text: string, alphabets: 'standard' | 'either'): Buffer {
  const isUrlSafe = alphabets === 'either' && URL_SAFE.test(text);
  const bytes = Buffer.from(text, 'base64');
  const standard = bytes.toString('base64');
  const only = isUrlSafe ? standard.replaceAll('+', '-').replaceAll('/', '_') : standard;
  if (only === text) return bytes;
  throw new FormatError(`${what} is not base64 in its one form (RFC 4648: padded, no white space)`);
}
