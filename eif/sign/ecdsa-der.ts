/**
 * Turns ECDSA-Sig-Value (RFC 3279 section 2.2.3: DER of SEQUENCE { INTEGER r, INTEGER s }), which HSMs and KMS return, into
 * the raw r ‖ s of COSE. Strict: shortest lengths and integers, no trailing bytes.
 */
const TAG_SEQUENCE = 0x30;
const TAG_INTEGER = 0x02;
/** Lengths of 128 to 255 follow this byte; P-521 needs them. */
const LENGTH_IN_ONE_BYTE = 0x81;

interface Element {
  readonly value: Buffer;
  readonly rest: Buffer;
}

/** @returns undefined when the bytes do not start with a DER element of this tag. */
function readElement(bytes: Buffer, tag: number): Element | undefined {
  const [first, short, long] = bytes;
  if (first !== tag || short === undefined) return undefined;
  const isLong = short === LENGTH_IN_ONE_BYTE;
  const length = isLong ? long : short;
  if (length === undefined || (isLong ? length < 0x80 : length >= 0x80)) return undefined;
  const start = isLong ? 3 : 2;
  if (bytes.length < start + length) return undefined;
  return { value: bytes.subarray(start, start + length), rest: bytes.subarray(start + length) };
}

/** A positive DER integer, left-padded to `size` bytes. */
function toFixedSize(integer: Buffer, size: number): Buffer | undefined {
  const [first, second] = integer;
  if (first === undefined || first >= 0x80) return undefined;
  if (first === 0 && (second === undefined || second < 0x80)) return undefined;
  const magnitude = first === 0 ? integer.subarray(1) : integer;
  if (magnitude.length > size) return undefined;
  return Buffer.concat([Buffer.alloc(size - magnitude.length), magnitude]);
}

/** @returns raw r ‖ s of `signatureBytes`, or undefined when the bytes are not such a DER value. */
export function rawFromDer(der: Buffer, signatureBytes: number): Buffer | undefined {
  const sequence = readElement(der, TAG_SEQUENCE);
  if (sequence === undefined || sequence.rest.length > 0) return undefined;
  const r = readElement(sequence.value, TAG_INTEGER);
  const s = r && readElement(r.rest, TAG_INTEGER);
  if (r === undefined || s === undefined || s.rest.length > 0) return undefined;
  const halves = [r, s].map(({ value }) => toFixedSize(value, signatureBytes / 2));
  const [rawR, rawS] = halves;
  return rawR === undefined || rawS === undefined ? undefined : Buffer.concat([rawR, rawS]);
}
