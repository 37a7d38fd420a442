/**
 * The two lines of hybrid vsock: `CONNECT <port>\n` from whoever dials into a guest over the unix socket, `OK <port>\n` as
 * the answer (the number is the host's port with Firecracker, the guest's with vhost-device-vsock, so any will do).
 * Source: firecracker docs/vsock.md, "Host-Initiated Connections".
 */

/** `CONNECT 4294967295\n` has 19 bytes. */
export const MAX_HYBRID_LINE_BYTES = 32;
const MAX_PORT = 0xffff_ffff;
const NEWLINE = 0x0a;

export type HybridLine =
  | { readonly kind: 'more' }
  /** `length`: bytes of the line with its newline; what follows belongs to the stream. */
  | { readonly kind: 'port'; readonly port: number; readonly length: number }
  | { readonly kind: 'malformed' };

function parseLine(bytes: Buffer, form: RegExp): HybridLine {
  const end = bytes.indexOf(NEWLINE);
  if (end < 0) return { kind: bytes.length < MAX_HYBRID_LINE_BYTES ? 'more' : 'malformed' };
  const match = form.exec(bytes.toString('latin1', 0, end));
  const port = Number(match?.[1] ?? Number.NaN);
  return port <= MAX_PORT ? { kind: 'port', port, length: end + 1 } : { kind: 'malformed' };
}

/** @param bytes from the start of the stream, at most MAX_HYBRID_LINE_BYTES. */
export function parseConnectLine(bytes: Buffer): HybridLine {
  return parseLine(bytes, /^CONNECT (\d{1,10})$/);
}

/** @param bytes from the start of the stream, at most MAX_HYBRID_LINE_BYTES. */
export function parseOkLine(bytes: Buffer): HybridLine {
  return parseLine(bytes, /^OK (\d{1,10})$/);
}

export function encodeConnectLine(port: number): Buffer {
  return Buffer.from(`CONNECT ${port}\n`, 'latin1');
}

export function encodeOkLine(port: number): Buffer {
  return Buffer.from(`OK ${port}\n`, 'latin1');
}
