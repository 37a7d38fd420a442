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
  const closed = once(socket, 'close').catch(() => undefined);
  await untilAborted(Promise.race([once(socket, 'drain'), closed]), signal);
}
