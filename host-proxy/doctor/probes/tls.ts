/** A TLS handshake with the system's trust, then one request for the date. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { TcpEndpoint } from '../../../wire/endpoint.ts';

export async function dateOverTls({ host, port }: TcpEndpoint, signal: AbortSignal): Promise<string | undefined> {
  const asked = request({ host, port, servername: host, method: 'GET', path: '/', agent: false, signal });
  asked.end();
  try {
    const [answer]: IncomingMessage[] = await once(asked, 'response', { signal });
    return answer?.headers.date;
  } finally {
    asked.destroy();
  }
}
