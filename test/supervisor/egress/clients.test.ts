/** Real clients with the variables that programs get: undici, Node’s own, curl and Python, where they are there. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import t from 'tap';
import { ProxyAgent, request } from 'undici';
import { LOOPBACK, startEnds } from './support/both-ends.ts';

const run = promisify(execFile);

async function ends(t: { teardown(fn: () => unknown): void }) {
  const server = createServer((asked, response) => response.end(`${asked.method} ${asked.url} ${asked.headers.host}`));
  server.listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port: target } = server.address() as AddressInfo;
  const started = await startEnds(t, {
    enclave: { allow: [`web.example:${target}`, LOOPBACK] },
    names: { 'web.example': ['127.0.0.1'] },
  });
  return { ...started, target, url: `http://web.example:${target}/a?b` };
}

t.test('sets the variables that clients heed', async (t) => {
  const { enclave, port } = await ends(t);
  const proxy = `http://127.0.0.1:${port}`;
  const direct = 'localhost,127.0.0.1,::1';
  t.same(enclave.environment, {
    http_proxy: proxy,
    https_proxy: proxy,
    HTTP_PROXY: proxy,
    HTTPS_PROXY: proxy,
    no_proxy: direct,
    NO_PROXY: direct,
    NODE_USE_ENV_PROXY: '1',
  });
  t.equal(enclave.resolvConf, undefined);
});

t.test('serves undici, which always asks for a tunnel', async (t) => {
  const { port, url, target } = await ends(t);
  for (const proxyTunnel of [true, false]) {
    const dispatcher = new ProxyAgent({ uri: `http://127.0.0.1:${port}`, proxyTunnel });
    const { statusCode, body } = await request(url, { dispatcher });
    t.equal(statusCode, 200);
    t.equal(await body.text(), `GET /a?b web.example:${target}`);
    await dispatcher.close();
  }
});

t.test('serves Node’s fetch by its environment', async (t) => {
  const { enclave, url, target } = await ends(t);
  const script = `console.log(await (await fetch(${JSON.stringify(url)})).text())`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...enclave.environment },
  });
  t.equal(stdout.trim(), `GET /a?b web.example:${target}`);
});

const isThere = (program: string) =>
  run(program, ['--version']).then(
    () => true,
    () => false,
  );

t.test('serves curl, by URL and by tunnel', { skip: !(await isThere('curl')) && 'there is no curl' }, async (t) => {
  const { enclave, url, target } = await ends(t);
  const env = { ...enclave.environment, PATH: process.env['PATH'] ?? '' };
  for (const more of [[], ['--proxytunnel']]) {
    const { stdout } = await run('curl', ['-sS', '--max-time', '10', ...more, url], { env });
    t.equal(stdout, `GET /a?b web.example:${target}`);
  }
  const refused = run('curl', ['-sS', '--max-time', '10', 'https://other.example/'], { env });
  t.match(await refused.catch(({ stderr }: { readonly stderr: string }) => stderr), /403/);
});

t.test('serves Python’s urllib', { skip: !(await isThere('python3')) && 'there is no python3' }, async (t) => {
  const { enclave, url, target } = await ends(t);
  const script = 'import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=10).read().decode())';
  const env = { ...enclave.environment, PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' };
  const { stdout } = await run('python3', ['-c', script, url], { env });
  t.equal(stdout.trim(), `GET /a?b web.example:${target}`);
});
