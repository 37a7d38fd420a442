/** One plain HTTP request, as the instance metadata service is asked. */

import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:http';
import { HostProxyError } from '../../errors.ts';
import type { HttpAnswer, HttpQuestion, Upstream } from '../parent-system.ts';
import { connectTo, setMinimumTtl } from './connect.ts';

/** What instance metadata answers here is far smaller. */
const MAX_BODY_BYTES = 64 * 1024;

async function readBody(answer: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of answer as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > MAX_BODY_BYTES)
      throw new HostProxyError('HOST_DOCTOR_PROBE', `the answer is longer than ${MAX_BODY_BYTES} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

export async function askHttp(upstream: Upstream, question: HttpQuestion, signal: AbortSignal): Promise<HttpAnswer> {
  const { method, path, headers, minimumTtl } = question;
  const socket = await connectTo(upstream, signal);
  try {
    if (minimumTtl !== undefined) setMinimumTtl(socket, minimumTtl);
    const asked = request({
      createConnection: () => socket,
      method,
      path,
      headers: { host: upstream.kind === 'tcp' ? upstream.host : 'localhost', connection: 'close', ...headers },
      signal,
    });
    asked.end();
    const [answer]: IncomingMessage[] = await once(asked, 'response', { signal });
    if (!answer) throw new HostProxyError('HOST_DOCTOR_PROBE', 'no answer');
    return { status: answer.statusCode ?? 0, body: await readBody(answer) };
  } finally {
    socket.destroy();
  }
}
