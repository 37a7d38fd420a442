/**
 * The header by which a load balancer says whose connection it passes on, and host-proxy to the enclave: PROXY protocol, version 2.
 * It is demanded or not expected, as the configuration says, never guessed from the bytes: who may choose could claim any address.
 *
 * Refused are version 1, which is text and has no check; commands and families that the specification does not know, as it
 * wants; and a PROXY command of another kind than TCP, which does not say whom it is for: the balancer's own address, which the
 * specification allows to take instead, would let strangers in as the balancer. What LOCAL carries is skipped as it says.
 * Specification: haproxy's doc/proxy-protocol.txt, section 2.2.
 */
import { crc32c } from './crc32c.ts';
import { WireError } from './errors.ts';
import { addressBytes, formatAddress } from './networks.ts';

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const SIGNATURE_1 = Buffer.from('PROXY ');
const MIN_TELLING_BYTES = 4;
const FIXED_BYTES = 16;
/** Of what follows the fixed part. The specification wants all of it in one segment of TCP. */
const MAX_BLOCK_BYTES = 2048;
/** A connection that sent as many bytes and no whole header is refused. */
export const MAX_PROXY_HEADER_BYTES: number = FIXED_BYTES + MAX_BLOCK_BYTES;

const VERSION_2 = 2;
const COMMANDS = { local: 0, proxy: 1 } as const;
const TCP_OVER = { ipv4: 0x11, ipv6: 0x21 } as const;
const UNSPECIFIED = 0x00;
/** Two addresses of so many bytes, then two ports. */
const ADDRESS_BYTES: ReadonlyMap<number, 4 | 16> = new Map([
  [TCP_OVER.ipv4, 4],
  [TCP_OVER.ipv6, 16],
]);
const PORT_BYTES = 2;
const TLV_HEADER_BYTES = 3;
const CRC32C_TYPE = 0x03;
const CRC32C_BYTES = 4;

/** Who connects. */
export interface Source {
  /** IPv4, or IPv6 as RFC 5952 writes it; one that maps an IPv4 address as `::ffff:192.0.2.1`. */
  readonly address: string;
  readonly port: number;
}

export type ProxyHeader =
  | { readonly kind: 'more' }
  /** The balancer itself connects, to see whether this end lives: the connection's own addresses count. */
  | { readonly kind: 'local'; readonly headerBytes: number }
  | { readonly kind: 'proxied'; readonly source: Source; readonly headerBytes: number };

const MORE: ProxyHeader = { kind: 'more' };

function bad(what: string, found: string, allowed: string): WireError {
  return new WireError('WIRE_PROXY_HEADER', `not a header of the PROXY protocol, version 2: ${what}`, {
    found,
    allowed,
  });
}

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, '0')}`;
}

function checkSignature(bytes: Buffer): void {
  const length = Math.min(bytes.length, SIGNATURE.length);
  if (bytes.subarray(0, length).equals(SIGNATURE.subarray(0, length))) return;
  const isText = bytes[0] === 0x50 /* P */;
  throw bad(
    isText ? 'it begins as version 1 does' : 'it begins otherwise',
    bytes.subarray(0, length).toString('hex'),
    SIGNATURE.toString('hex'),
  );
}

/** Each field as soon as it is there. */
function checkFixedPart(bytes: Buffer): void {
  checkSignature(bytes);
  const [versionAndCommand = VERSION_2 << 4, family] = bytes.subarray(SIGNATURE.length, SIGNATURE.length + 2);
  const command = versionAndCommand & 0x0f;
  if (versionAndCommand >>> 4 !== VERSION_2 || command > COMMANDS.proxy) {
    throw bad('unknown version or command', hex(versionAndCommand), '0x20 (LOCAL), 0x21 (PROXY)');
  }
  if (command === COMMANDS.proxy && family !== undefined && !ADDRESS_BYTES.has(family)) {
    throw bad(
      'it does not tell a source over TCP',
      `family ${hex(family)}`,
      '0x11 (TCP over IPv4), 0x21 (TCP over IPv6)',
    );
  }
}

function blockBytes(bytes: Buffer): number {
  const stated = bytes.readUInt16BE(SIGNATURE.length + 2);
  if (stated > MAX_BLOCK_BYTES) throw bad('it is too long', `${stated} bytes behind 16`, `at most ${MAX_BLOCK_BYTES}`);
  return stated;
}

function readSource(header: Buffer, size: 4 | 16): Source {
  const bytes = header.subarray(FIXED_BYTES, FIXED_BYTES + size);
  return { address: formatAddress(bytes), port: header.readUInt16BE(FIXED_BYTES + 2 * size) };
}

/** Over the whole header, with zeroes where the sum stands. */
function checkSum(header: Buffer, offset: number): void {
  const summed = Buffer.from(header).fill(0, offset, offset + CRC32C_BYTES);
  if (crc32c(summed) === header.readUInt32BE(offset)) return;
  throw bad('its checksum is wrong', header.toString('hex', offset, offset + CRC32C_BYTES), 'the CRC32c of the header');
}

/** Type, length and value, up to the end; only the checksum is looked at. */
function checkVectors(header: Buffer, from: number): void {
  for (let at = from; at < header.length; ) {
    const valueAt = at + TLV_HEADER_BYTES;
    const length = valueAt > header.length ? Number.POSITIVE_INFINITY : header.readUInt16BE(at + 1);
    if (valueAt + length > header.length)
      throw bad('a vector does not end within it', `at byte ${at}`, 'whole vectors');
    if (header[at] === CRC32C_TYPE) {
      if (length !== CRC32C_BYTES)
        throw bad('its checksum has a wrong length', `${length} bytes`, `${CRC32C_BYTES} bytes`);
      checkSum(header, valueAt);
    }
    at = valueAt + length;
  }
}

/**
 * @param bytes everything that the connection has sent so far; what stands behind the header is not looked at
 * @throws WireError WIRE_PROXY_HEADER, as early as it can be told
 */
export function parseProxyHeader(bytes: Buffer): ProxyHeader {
  checkFixedPart(bytes);
  if (bytes.length < FIXED_BYTES) return MORE;
  const headerBytes = FIXED_BYTES + blockBytes(bytes);
  const isWhole = bytes.length >= headerBytes;
  const isLocal = (bytes.readUInt8(SIGNATURE.length) & 0x0f) === COMMANDS.local;
  const size = isLocal ? undefined : ADDRESS_BYTES.get(bytes.readUInt8(SIGNATURE.length + 1));
  if (size === undefined) return isWhole ? { kind: 'local', headerBytes } : MORE;
  const vectorsAt = FIXED_BYTES + 2 * (size + PORT_BYTES);
  if (headerBytes < vectorsAt) throw bad('it is too short', `${headerBytes} bytes`, `at least ${vectorsAt}`);
  if (!isWhole) return MORE;
  const header = bytes.subarray(0, headerBytes);
  checkVectors(header, vectorsAt);
  return { kind: 'proxied', source: readSource(header, size), headerBytes };
}

/** Whether bytes begin a header of either version; as many as there are, at least four. */
export function looksLikeProxyHeader(bytes: Buffer): boolean {
  const isBeginning = (of: Buffer) => {
    const length = Math.min(bytes.length, of.length);
    return length >= MIN_TELLING_BYTES && bytes.subarray(0, length).equals(of.subarray(0, length));
  };
  return isBeginning(SIGNATURE) || isBeginning(SIGNATURE_1);
}

/**
 * The destination is left zero: both ends are ours, and know it.
 * @param source undefined: whoever connects has no address
 */
export function encodeProxyHeader(source: Source | undefined): Buffer {
  const address = source && addressBytes(source.address);
  const block = Buffer.alloc(address ? 2 * (address.length + PORT_BYTES) : 0);
  address?.copy(block);
  if (source && address) block.writeUInt16BE(source.port, 2 * address.length);
  const fixed = Buffer.alloc(FIXED_BYTES);
  SIGNATURE.copy(fixed);
  fixed[SIGNATURE.length] = (VERSION_2 << 4) | (address ? COMMANDS.proxy : COMMANDS.local);
  fixed[SIGNATURE.length + 1] = address ? (address.length === 4 ? TCP_OVER.ipv4 : TCP_OVER.ipv6) : UNSPECIFIED;
  fixed.writeUInt16BE(block.length, SIGNATURE.length + 2);
  return Buffer.concat([fixed, block]);
}
