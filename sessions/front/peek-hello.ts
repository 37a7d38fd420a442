/** Looks at the ClientHello in front of a stream, and leaves every byte where it was. */
import type { Duplex } from 'node:stream';
import { takeSome } from '../take-bytes.ts';
import { type HelloVerdict, MAX_HELLO_BYTES, readClientHello } from './client-hello.ts';

const CLIENT = 'the client';

/** What can be told now, of what has come already. */
export function peekHello(socket: Duplex): HelloVerdict {
  const chunk: Buffer | null = socket.readableLength === 0 ? null : socket.read();
  if (!chunk) return { kind: 'more' };
  socket.unshift(chunk);
  return readClientHello(chunk);
}

/** Waits until it can be told. @throws SessionError 08006; the signal's reason */
export async function untilHello(
  socket: Duplex,
  signal: AbortSignal,
): Promise<Exclude<HelloVerdict, { readonly kind: 'more' }>> {
  let bytes: Buffer = Buffer.alloc(0);
  for (;;) {
    bytes = Buffer.concat([bytes, await takeSome(socket, MAX_HELLO_BYTES, CLIENT, signal)]);
    const verdict = readClientHello(bytes);
    if (verdict.kind === 'more') continue;
    socket.unshift(bytes);
    return verdict;
  }
}
