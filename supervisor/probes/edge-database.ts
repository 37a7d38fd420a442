/** Does the database answer as the edge demands, which speaks to it for sessions: TLS under the measured name and CA? */
import type { Clock } from '../../runtime/clock.ts';
import { Deadline } from '../../runtime/deadline.ts';
import type { DatabaseTarget } from '../../sessions/edge/database-connection.ts';
import { connectDatabase, DatabaseConnectionError } from '../../sessions/edge/database-connection.ts';
import type { DatabaseAnswer } from './database.ts';

/** PostgreSQL does not log a connection that ends behind the handshake. @throws the signal's reason */
export async function probeByEdge(
  target: DatabaseTarget,
  timeoutMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<DatabaseAnswer> {
  using deadline = new Deadline(clock, timeoutMs, signal);
  try {
    const socket = await connectDatabase(target, deadline.signal);
    const fingerprint = socket.getPeerX509Certificate()?.fingerprint256 ?? '';
    socket.destroy();
    return { kind: 'trusted', fingerprint };
  } catch (error) {
    signal.throwIfAborted();
    if (deadline.hasPassed) return { kind: 'unreachable' };
    if (!(error instanceof DatabaseConnectionError)) throw error;
    const { failure, detail: reason } = error;
    return failure === 'unreachable' || failure === 'without-tls' ? { kind: failure } : { kind: failure, reason };
  }
}
