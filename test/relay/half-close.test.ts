/** Must hold 1: after A shuts down writing, what B still sends arrives. */
import { join } from 'node:path';
import t from 'tap';

import { temporaryFolder } from '../support/temporary-folder.ts';
import { noise } from './support/noise.ts';
import { countersOf, route, settled, startRelay, until } from './support/relay.ts';
import { dial, readAll, serve, sha256 } from './support/sockets.ts';

const ANSWER = noise('half-close', 3_000_000);

for (const kind of ['tcp', 'unix'] as const) {
  t.test(`must hold 1: keeps the upstream's answer after the downstream has ended, over ${kind}`, async (t) => {
    const folder = temporaryFolder(t);
    const { relay } = await startRelay(t);
    const server = await serve(t, () => undefined, kind === 'unix' ? join(folder, 'up') : undefined);
    const listen = kind === 'unix' ? `unix://${join(folder, 'down')}` : 'tcp://127.0.0.1:0';
    const client = await dial(t, await relay.addRoute(route({ listen, connect: server.endpoint })));
    client.end('question');
    const upstream = await server.next();
    t.equal((await readAll(upstream)).toString(), 'question');
    upstream.end(ANSWER);
    t.equal(sha256(await readAll(client)), sha256(ANSWER));
    await until(() => countersOf(relay).active === 0);
    t.match(await settled(relay), { errors: 0, bytesUp: 8, bytesDown: ANSWER.length });
  });

  t.test(`must hold 1: keeps the downstream's bytes after the upstream has ended, over ${kind}`, async (t) => {
    const folder = temporaryFolder(t);
    const { relay } = await startRelay(t);
    const server = await serve(t, () => undefined, kind === 'unix' ? join(folder, 'up') : undefined);
    const listen = kind === 'unix' ? `unix://${join(folder, 'down')}` : 'tcp://127.0.0.1:0';
    const client = await dial(t, await relay.addRoute(route({ listen, connect: server.endpoint })));
    const upstream = await server.next();
    upstream.end('goodbye');
    t.equal((await readAll(client)).toString(), 'goodbye');
    client.end(ANSWER);
    t.equal(sha256(await readAll(upstream)), sha256(ANSWER));
    await until(() => countersOf(relay).active === 0);
    t.equal((await settled(relay)).errors, 0);
  });
}

t.test('must hold 1: passes on what a downstream sent that ended before the upstream was connected', async (t) => {
  const folder = temporaryFolder(t);
  const { relay } = await startRelay(t);
  const server = await serve(t, () => undefined);
  const listen = `unix://${join(folder, 'down')}`;
  const client = await dial(t, await relay.addRoute(route({ listen, connect: server.endpoint })));
  client.write('fire and forget');
  client.destroySoon();
  t.equal((await readAll(await server.next())).toString(), 'fire and forget');
});
