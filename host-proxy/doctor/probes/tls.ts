/** A TLS handshake with the system's trust, then one request for the date. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { connect } from 'node:tls';
import type { TcpEndpoint } from '../../../wire/endpoint.ts';
import { connectTo } from './connect.ts';

export async function dateOverTls(upstream: TcpEndpoint, signal: AbortSignal): Promise<string | undefined> {
  const { host, port } = upstream;
  const socket = await connectTo(upstream, signal);
  const asked = request({
    createConnection: () => connect({ socket, servername: host }),
    host,
    port,
    method: 'GET',
    path: '/',
    agent: false,
    signal,
  });
  asked.end();
  try {
    const [answer]: IncomingMessage[] = await once(asked, 'response', { signal });
    return answer?.headers.date;
  } finally {
    asked.destroy();
    socket.destroy();
  }
}
