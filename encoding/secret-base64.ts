/** Base64 of a secret, from one Buffer into another: Node's own encoder makes a string, which nobody can zero. Specification: RFC 4648 section 4. */

const ALPHABET = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');
const PAD = '='.charCodeAt(0);

/** @returns a Buffer that the caller zeroes */
export function encodeSecretBase64(secret: Buffer): Buffer {
  const text = Buffer.allocUnsafeSlow(Math.ceil(secret.length / 3) * 4);
  let at = 0;
  const put = (sextet: number) => {
    text[at] = ALPHABET[sextet & 63] ?? PAD;
    at += 1;
  };
  for (let from = 0; from < secret.length; from += 3) {
    const left = secret.length - from;
    const bits = ((secret[from] ?? 0) << 16) | ((secret[from + 1] ?? 0) << 8) | (secret[from + 2] ?? 0);
    put(bits >> 18);
    put(bits >> 12);
    put(bits >> 6);
    put(bits);
    if (left < 3) text.fill(PAD, at - (3 - left), at);
  }
  return text;
}
