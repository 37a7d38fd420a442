/** Requests as a client writes them, byte by byte, and what comes back. */
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';
import { closed } from '../../../support/closed.ts';
import type { PortsRig } from './ports-rig.ts';

/** Everything until the port closes the connection. */
export async function rawExchange(rig: PortsRig, bytes: string): Promise<string> {
  const socket = await rig.secure();
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.write(bytes, 'latin1');
  await closed(socket);
  return Buffer.concat(chunks).toString('latin1');
}

export interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Requests over a connection that is there, one after the other, by Node's client. */
export function client(socket: TLSSocket): (asked?: Asked) => Promise<Answer> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  agent.createConnection = () => socket;
  return async ({ body, ...asked } = {}) => {
    const sent = httpRequest({ agent, host: 'app.test', ...asked });
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      sent.on('response', resolve).on('error', reject);
    });
    sent.end(body);
    const response = await answered;
    return { status: response.statusCode, headers: response.headers, body: await text(response) };
  };
}
