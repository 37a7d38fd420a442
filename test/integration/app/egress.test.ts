/** HTTP egress of a program in a simulated enclave, through both daemons and the relay between them. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { request } from 'undici';
import { appPair, freePort, script } from './support/app-pair.ts';

type Test = { teardown(fn: () => unknown): void };

async function webServer(t: Test): Promise<number> {
  const server = createServer((asked, response) => response.end(`${asked.method} ${asked.url}`));
  server.listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Asks the proxy of its environment for each target, by a tunnel and by a URL, and prints what is answered. */
const ASKING = (targets: readonly string[]) =>
  script(`
    const { request } = require('node:http');
    const proxy = new URL(process.env.https_proxy);
    const ask = (options) => new Promise((resolve) => {
      const asked = request({ host: proxy.hostname, port: proxy.port, ...options });
      asked.on('connect', ({ statusCode }, socket) => { socket.destroy(); resolve(statusCode); });
      asked.on('response', (answer) => {
        let body = '';
        answer.on('data', (chunk) => { body += chunk; }).on('end', () => resolve(answer.statusCode + ' ' + (body.match(/EGRESS_\\w+/) ?? [body])[0]));
      });
      asked.end();
    });
    (async () => {
      for (const target of ${JSON.stringify(targets)}) {
        console.log(target, await ask({ method: 'CONNECT', path: target }));
        console.log(target, await ask({ path: 'http://' + target + '/x' }));
      }
      setInterval(() => undefined, 1000);
      console.log('asked');
    })();
  `);

t.test('reaches what both lists allow, and is told whose list refuses', async (t) => {
  const [both, narrowed, listen] = [await webServer(t), await webServer(t), await freePort()];
  const targets = [`127.0.0.1:${both}`, `127.0.0.1:${narrowed}`, `127.0.0.1:${listen}`, 'other.example:443'];
  const http = {
    listen: `tcp://127.0.0.1:${listen}`,
    allow: [`127.0.0.1:${both}`, `127.0.0.1:${narrowed}`],
    deny: ['198.51.100.0/24:1-65535'],
  };
  const enclave = { programs: { asking: { command: ASKING(targets) } }, egress: { http } };
  // The parent allows much that the enclave does not, and one thing less.
  const host = { egress: { http: { allow: ['127.0.0.0/8:1-65535', '**.example'], deny: [`127.0.0.1:${narrowed}`] } } };
  const pair = appPair(t, { enclave, host });
  await pair.startHostProxy();
  pair.startSupervisor();
  await pair.untilRecord(({ event, fields }) => event === 'program.output' && fields['text'] === 'asked');
  const [first, second, third, fourth] = targets;
  t.same(pair.printed('asking'), [
    `${first} 200`,
    `${first} 200 GET /x`,
    `${second} 403`,
    `${second} 403 EGRESS_HOST_DENIED`,
    `${third} 403`,
    `${third} 403 EGRESS_ADDRESS`,
    `${fourth} 403`,
    `${fourth} 403 EGRESS_UNLISTED`,
    'asked',
  ]);
  t.match(
    pair.records.find(({ event, source }) => event === 'egress.refused' && source === 'enclave'),
    { level: 'warn', fields: { code: 'EGRESS_HOST_DENIED' } },
  );
});

t.test('publishes what went out on the parent’s side', async (t) => {
  const [target, listen] = [await webServer(t), await freePort()];
  const http = { listen: `tcp://127.0.0.1:${listen}`, allow: [`127.0.0.1:${target}`] };
  const enclave = { programs: { asking: { command: ASKING([`127.0.0.1:${target}`]) } }, egress: { http } };
  const pair = appPair(t, { enclave, host: { egress: { http: { allow: http.allow } } } });
  await pair.startHostProxy();
  pair.startSupervisor();
  await pair.untilRecord(({ event, fields }) => event === 'program.output' && fields['text'] === 'asked');
  const { body } = await request(`${pair.adminUrl}/status`);
  t.match(await body.json(), { egress: { outcomes: { connected: 2 } } });
});
