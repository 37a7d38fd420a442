/** Writes what was gathered as one, and waits while the other side does not read. */
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { untilAborted } from '../runtime/abort.ts';

/** @throws the signal's reason */
export async function writeAll(socket: Duplex, parts: readonly Buffer[], signal: AbortSignal): Promise<void> {
  const [first] = parts;
  if (first === undefined || socket.destroyed) return;
  const isTaken = socket.write(parts.length === 1 ? first : Buffer.concat(parts));
  if (isTaken) return;
  const settled = new AbortController();
  const event = (name: string) => once(socket, name, { signal: settled.signal }).catch(() => undefined);
  try {
    await untilAborted(Promise.race([event('drain'), event('close')]), signal);
  } finally {
    settled.abort();
  }
}
