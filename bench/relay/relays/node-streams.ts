/** The obvious relay in Node, for comparison: `node-streams.ts LISTEN=CONNECT…`, endpoints each; prints where it listens. */
import { connect, createServer, type NetConnectOpts } from 'node:net';
import { pipeline } from 'node:stream';
import { parseEndpoint } from '../../../wire/endpoint.ts';

function optionsOf(text: string): NetConnectOpts {
  const endpoint = parseEndpoint(text);
  if (endpoint.kind === 'tcp') return { host: endpoint.host, port: endpoint.port, noDelay: true };
  if (endpoint.kind === 'unix') return { path: endpoint.path };
  throw new Error(`Node has no streams for ${text}`);
}

process.stdin.once('end', () => process.exit(0)).resume();

for (const route of process.argv.slice(2)) {
  const [listen = '', upstream = ''] = route.split('=');
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (down) => {
    const up = connect({ ...optionsOf(upstream), allowHalfOpen: true });
    pipeline(down, up, () => undefined);
    pipeline(up, down, () => undefined);
  });
  await new Promise<void>((resolve) => {
    server.listen({ ...optionsOf(listen), backlog: 4_096 }, resolve);
  });
  const address = server.address();
  console.log(typeof address === 'object' ? `tcp://127.0.0.1:${address?.port}` : listen);
}
