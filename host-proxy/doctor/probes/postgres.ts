/** Asks PostgreSQL whether it speaks TLS. Source: PostgreSQL, "Message Formats", SSLRequest. */

import { once } from 'node:events';
import { SSL_REQUEST } from '../../../postgres/start-up.ts';
import { HostProxyError } from '../../errors.ts';
import type { Upstream } from '../parent-system.ts';
import { connectTo } from './connect.ts';

export async function postgresTlsAnswer(upstream: Upstream, signal: AbortSignal): Promise<string> {
  const socket = await connectTo(upstream, signal);
  try {
    socket.write(SSL_REQUEST);
    socket.once('end', () =>
      socket.destroy(new HostProxyError('HOST_DOCTOR_PROBE', 'the connection was closed without an answer')),
    );
    const [answer]: Buffer[] = await once(socket, 'data', { signal });
    return answer?.toString('latin1', 0, 1) ?? '';
  } finally {
    socket.destroy();
  }
}
