/**
 * Passes a CancelRequest on, over TLS on a connection of its own (PostgreSQL 18, "Canceling Requests in Progress"). Process and key
 * are the database's own, so that nobody here need know the session; the database answers by ending the connection.
 */
import { once } from 'node:events';
import { untilAborted } from '../../runtime/abort.ts';
import { connectDatabase, type DatabaseTarget } from './database-connection.ts';

/** @param packet the whole of it. @throws SessionError 08006; the signal's reason */
export async function cancelAt(database: DatabaseTarget, packet: Buffer, signal: AbortSignal): Promise<void> {
  const socket = await connectDatabase(database, signal);
  try {
    // However it ends it: nothing would tell whether it has read the packet.
    const closed = once(socket, 'close').catch(() => undefined);
    socket.resume().end(packet);
    await untilAborted(closed, signal);
  } finally {
    socket.destroy();
  }
}
