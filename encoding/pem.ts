/**
 * Reads PEM as Go's encoding/pem does, because acra-server reads the same files: a block begins and ends with a line of its own, and
 * nothing but Base64 lies between. Go passes over what is otherwise in silence, and OpenSSL reads much of it; here it can be told.
 * Specification: RFC 7468; Go 1.26, encoding/pem, Decode.
 */

const BEGIN = '-----BEGIN ';
const END = '\n-----END ';
const DASHES = '-----';
const NEWLINE = 0x0a;
const COLON = 0x3a;
const BLANK = /^[ \t]*\r?$/;

export interface PemBlock {
  /** `CERTIFICATE`, `PRIVATE KEY` and so on. */
  readonly label: string;
  /** From its first to its last dash. A view. */
  readonly raw: Buffer;
  /** Lines with a colon before the Base64; most blocks have none. A view. */
  readonly headers: Buffer;
  /** Base64 with its line ends. A view. */
  readonly body: Buffer;
}

function endOfLine(bytes: Buffer, from: number): number {
  const at = bytes.indexOf(NEWLINE, from);
  return at === -1 ? bytes.length : at;
}

/** Where the Base64 begins: after all lines that have a colon. */
function skipHeaders(bytes: Buffer, from: number, end: number): number {
  let at = from;
  while (at < end) {
    const next = endOfLine(bytes, at);
    if (!bytes.subarray(at, next).includes(COLON)) return at;
    at = next + 1;
  }
  return at;
}

const isBase64Digit = (byte: number) =>
  (byte >= 0x30 && byte <= 0x39) ||
  (byte >= 0x41 && byte <= 0x5a) ||
  (byte >= 0x61 && byte <= 0x7a) ||
  byte === 0x2b ||
  byte === 0x2f;

/** Standard alphabet, padded, with white space between. Byte by byte: a private key must not become a string. */
function isBase64(body: Buffer): boolean {
  let digits = 0;
  let padding = 0;
  for (const byte of body) {
    if (byte === NEWLINE || byte === 0x0d || byte === 0x20 || byte === 0x09) continue;
    if (byte === 0x3d) padding += 1;
    else if (padding > 0 || !isBase64Digit(byte)) return false;
    else digits += 1;
  }
  return padding <= 2 && (digits + padding) % 4 === 0;
}

/** @param end where the line break before its END line is */
function readBlock(bytes: Buffer, start: number, end: number): PemBlock | undefined {
  const lineEnd = endOfLine(bytes, start);
  const line = bytes
    .toString('latin1', start, lineEnd)
    .replace(/\r$/, '')
    .replace(/[ \t]+$/, '');
  if (!line.endsWith(DASHES)) return undefined;
  const label = line.slice(BEGIN.length, -DASHES.length);
  const closing = `-----END ${label}-----`;
  const close = end + 1 + closing.length;
  if (bytes.toString('latin1', end + 1, close) !== closing) return undefined;
  if (!BLANK.test(bytes.toString('latin1', close, endOfLine(bytes, close)))) return undefined;
  const bodyStart = Math.min(skipHeaders(bytes, lineEnd + 1, end), end);
  const body = bytes.subarray(bodyStart, end);
  const headers = bytes.subarray(Math.min(lineEnd + 1, bodyStart), bodyStart);
  return isBase64(body) ? { label, raw: bytes.subarray(start, close), headers, body } : undefined;
}

/** Blocks in their order, without those that Go passes over. Nothing of a body becomes a string. */
export function pemBlocks(bytes: Buffer): PemBlock[] {
  const blocks: PemBlock[] = [];
  for (let from = 0; ; ) {
    const end = bytes.indexOf(END, from);
    if (end === -1) return blocks;
    const start = bytes.subarray(0, end).lastIndexOf(BEGIN);
    const startsLine = start >= from && (start === 0 || bytes[start - 1] === NEWLINE);
    const block = startsLine ? readBlock(bytes, start, end) : undefined;
    if (block !== undefined) blocks.push(block);
    from = end + (block === undefined ? END.length : 1);
  }
}

/** DER of what is no secret. */
export function derOf({ body }: PemBlock): Buffer {
  return Buffer.from(body.toString('latin1'), 'base64');
}

/** Text of what is no secret, as everybody writes it. */
export function writePem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** What a file is that should have been PEM, for people. */
export function describeContent(bytes: Buffer): string {
  if (bytes.length === 0) return 'an empty file';
  const [first, second] = bytes;
  if (first === 0xef && second === 0xbb) return 'a UTF-8 mark before the first line, which acra-server does not read';
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return 'UTF-16 text';
  const labels = pemBlocks(bytes).map(({ label }) => label);
  if (labels.length > 0) return [...new Set(labels)].join(', ');
  if (first === 0x30 && (second ?? 0) >= 0x80) return 'DER, or another binary format such as PKCS #12';
  if (!bytes.includes(BEGIN)) return 'something else than PEM';
  if (bytes.includes(0x0d) && !bytes.includes(NEWLINE))
    return 'lines that end with CR alone, which acra-server does not read';
  return 'a PEM block whose first or last line is not a line of its own, that is not closed, or whose Base64 is damaged';
}
