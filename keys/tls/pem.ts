/**
 * Reads PEM (RFC 7468) as Go's encoding/pem does, because acra-server reads the same files: a block counts when its first
 * line starts a line. What Go would skip in silence is told here instead.
 */

const BEGIN = '-----BEGIN ';
const DASHES = '-----';
const NEWLINE = 0x0a;

export interface PemBlock {
  /** `CERTIFICATE`, `PRIVATE KEY` and so on. */
  readonly label: string;
  /** From its first to its last dash. A view. */
  readonly raw: Buffer;
  /** What lies between its first and its last line. A view. */
  readonly body: Buffer;
}

/** Blocks in their order; one that is not closed is left out, as Go does. Nothing of a body becomes a string. */
export function pemBlocks(bytes: Buffer): PemBlock[] {
  const blocks: PemBlock[] = [];
  for (let from = 0; ; ) {
    const start = bytes.indexOf(BEGIN, from);
    if (start === -1) return blocks;
    from = start + BEGIN.length;
    const labelEnd = bytes.indexOf(DASHES, from);
    if (labelEnd === -1) return blocks;
    if (start > 0 && bytes[start - 1] !== NEWLINE) continue;
    const label = bytes.toString('latin1', from, labelEnd);
    const closing = `-----END ${label}-----`;
    const end = bytes.indexOf(closing, labelEnd);
    if (label.includes('\n') || end === -1) continue;
    from = end + closing.length;
    blocks.push({ label, raw: bytes.subarray(start, from), body: bytes.subarray(labelEnd + DASHES.length, end) });
  }
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
  return bytes.includes(BEGIN) ? 'a PEM block that is not closed or does not start a line' : 'something else than PEM';
}
