/** Takes a header of the PROXY protocol, version 2, from the beginning of a connection, where there is one; what follows is left to read. */
import type { Socket } from 'node:net';
import { WireError } from '../../../wire/errors.ts';
import { type ProxyHeader, parseProxyHeader } from '../../../wire/proxy-protocol.ts';

/** Of the header; no request of HTTP begins so. */
const FIRST_BYTE = 0x0d;

const NONE = { kind: 'local', headerBytes: 0 } as const satisfies ProxyHeader;

/** Undefined for what is no header, though it begins as one. */
function headerOf(seen: Buffer): ProxyHeader | undefined {
  try {
    return parseProxyHeader(seen);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

/** @param onRest when the header is gone, or there was none; not called for a connection that is ended for what it sent */
export function skipProxyHeader(socket: Socket, onRest: () => void): void {
  let seen: Buffer = Buffer.alloc(0);
  const passOn = (headerBytes: number) => {
    socket.off('readable', look);
    if (seen.length > headerBytes) socket.unshift(seen.subarray(headerBytes));
    onRest();
  };
  function look(): void {
    const chunk: Buffer | null = socket.read();
    if (chunk === null) return;
    seen = Buffer.concat([seen, chunk]);
    const header: ProxyHeader | undefined = seen[0] === FIRST_BYTE ? headerOf(seen) : NONE;
    if (header === undefined) socket.destroy();
    else if (header.kind !== 'more') passOn(header.headerBytes);
  }
  socket.on('readable', look);
}
