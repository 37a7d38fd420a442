/** The obvious relay in Node, for comparison: `node-pipe.ts PORT…` prints its listening ports. */
import { connect, createServer } from 'node:net';
import { pipeline } from 'node:stream';

for (const target of process.argv.slice(2)) {
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (down) => {
    const up = connect({ port: Number(target), host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    pipeline(down, up, () => undefined);
    pipeline(up, down, () => undefined);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  console.log(typeof address === 'object' ? address?.port : 0);
}
