/**
 * Whose connection it is, as the parent says in front of its bytes (wire/routes.ts, `tellsSource`): a header of the PROXY protocol. The
 * parent may say what it likes, so that it is used for limits and logs only; it can deny service anyway. The header is always there,
 * so that nothing that a client sends can be taken for one.
 */
import type { Duplex } from 'node:stream';
import { SessionError } from '../../postgres/session-error.ts';
import { MAX_PROXY_HEADER_BYTES, type ProxyHeader, parseProxyHeader, type Source } from '../../wire/proxy-protocol.ts';
import { takeSome } from '../take-bytes.ts';

/** Takes the header off the stream. @returns undefined where the parent knows no address. @throws SessionError 08P01, 08006; the signal's reason */
export async function readSource(socket: Duplex, signal: AbortSignal): Promise<Source | undefined> {
  let bytes: Buffer = Buffer.alloc(0);
  for (;;) {
    const header = headerIn(bytes);
    if (header.kind !== 'more') {
      const rest = bytes.subarray(header.headerBytes);
      if (rest.length > 0) socket.unshift(rest);
      return header.kind === 'proxied' ? header.source : undefined;
    }
    bytes = Buffer.concat([bytes, await takeSome(socket, MAX_PROXY_HEADER_BYTES - bytes.length, 'host-proxy', signal)]);
  }
}

function headerIn(bytes: Buffer): ProxyHeader {
  try {
    return parseProxyHeader(bytes);
  } catch {
    throw new SessionError(
      '08P01',
      'host-proxy did not say whose connection this is: it must be of the same release as the enclave',
    );
  }
}
