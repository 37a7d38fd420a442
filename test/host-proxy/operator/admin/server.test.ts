/** The port for monitors: what they ask, in the ways that they ask it. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { Registry } from 'prom-client';
import t, { type Test as TapTest } from 'tap';
import { AdminServer, MAX_CONNECTIONS } from '../../../../host-proxy/operator/admin/server.ts';
import type { HostStatus } from '../../../../host-proxy/operator/host-status.ts';
import { hostStatus } from '../../../../host-proxy/operator/host-status.ts';
import { QUIET } from '../support/statuses.ts';

async function admin(t: TapTest, status: HostStatus = QUIET, bound = '127.0.0.1') {
  const listen = { kind: 'tcp', host: bound, port: 0 } as const;
  const server = new AdminServer({ listen, status: () => status, metrics: new Registry() });
  await server.start(new AbortController().signal);
  t.teardown(() => server.stop());
  const ask = async (target: string, { method = 'GET', host = '127.0.0.1:9464' } = {}) => {
    const socket = connect(server.address.port, '127.0.0.1').setEncoding('utf8');
    socket.end(`${method} ${target} HTTP/1.0\r\n${host === '' ? '' : `Host: ${host}\r\n`}\r\n`);
    let answer = '';
    socket.on('data', (text: string) => {
      answer += text;
    });
    await once(socket, 'close');
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    return { code: Number(head.split(' ')[1]), head: head.toLowerCase(), body };
  };
  return ask;
}

t.test('answers a monitor whatever it adds to the path', async (t) => {
  const ask = await admin(t);
  for (const path of ['/healthz', '/readyz', '/metrics', '/status'])
    for (const target of [path, `${path}?x=1`, `${path}?`, `${path}/`, `http://host:1${path}?a=b&c`, `${path}#part`])
      t.equal((await ask(target)).code, 200, target);
  t.equal((await ask('/status?pretty', { method: 'HEAD' })).body, '');
});

for (const target of [
  '/status/more',
  '/statusx',
  '//status',
  '*',
  '/%73tatus/x',
  '/page',
  '/runbooks/',
  '/runbooks/../../package',
])
  t.test(`finds nothing at ${target}`, async (t) => {
    t.equal((await (await admin(t))(target)).code, 404);
  });

t.test('rejects what would change something', async (t) => {
  const ask = await admin(t);
  for (const method of ['POST', 'PUT', 'DELETE']) t.equal((await ask('/status', { method })).code, 405, method);
});

t.test('says why it is not ready, with the code that says it', async (t) => {
  const reason = { code: 'RELAY_ADDRESS_IN_USE', message: 'tcp://0.0.0.0:5432 is taken' };
  const ask = await admin(t, { ...QUIET, ready: false, publicAddress: null, reason });
  const { code, body } = await ask('/readyz?verbose');
  t.equal(code, 503);
  t.equal(body.trim(), 'not ready: serving; phase serve; RELAY_ADDRESS_IN_USE; tcp://0.0.0.0:5432 is taken');
  t.match(hostStatus.parse(JSON.parse((await ask('/status')).body)), { ready: false, reason });
});

/** A page of a stranger whose name leads to 127.0.0.1 is of the same origin to a browser. */
t.test('rejects a request by a name that a stranger could have given to the loopback', async (t) => {
  const ask = await admin(t);
  for (const host of [
    'evil.example',
    'evil.example:9464',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    'a@evil.example',
    '%',
  ])
    for (const path of ['/', '/status', '/metrics', '/main.js'])
      t.equal((await ask(path, { host })).code, 421, `${host} ${path}`);
  for (const host of ['127.0.0.1', '127.0.0.1:1', 'localhost', 'LOCALHOST:9464', '[::1]:9464', '10.0.0.1', ''])
    t.equal((await ask('/status', { host })).code, 200, host);
});

t.test('answers to every name where it was bound to a network on purpose', async (t) => {
  const ask = await admin(t, QUIET, '0.0.0.0');
  t.equal((await ask('/status', { host: 'parent-7.internal:9464' })).code, 200);
});

async function bareAdmin(t: TapTest): Promise<AdminServer> {
  const listen = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const;
  const server = new AdminServer({ listen, status: () => QUIET, metrics: new Registry() });
  await server.start(new AbortController().signal);
  t.teardown(() => server.stop());
  return server;
}

t.test('answers while more are connected than there is room for, who say nothing: the oldest goes', async (t) => {
  const { address } = await bareAdmin(t);
  const silent = Array.from({ length: MAX_CONNECTIONS }, () => connect(address.port, '127.0.0.1'));
  await Promise.all(silent.map((socket) => once(socket, 'connect')));
  const [oldest] = silent;
  const gone = oldest && once(oldest, 'close');
  oldest?.on('error', () => undefined).resume();
  const response = await fetch(`http://127.0.0.1:${address.port}/readyz`);
  t.equal(await response.text(), 'ready\n');
  await gone;
  t.equal(silent.filter((socket) => !socket.destroyed).length, MAX_CONNECTIONS - 1);
  for (const socket of silent) socket.destroy();
});

t.test('makes one answer at a time for a connection, and ends it where more are asked for before that', async (t) => {
  const { address } = await bareAdmin(t);
  const socket = connect(address.port, '127.0.0.1').setEncoding('utf8');
  let answers = '';
  socket.on('data', (text: string) => {
    answers += text;
  });
  const request = 'GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n';
  socket.on('error', () => undefined).write(request.repeat(20));
  await once(socket, 'close');
  t.ok(answers.split('HTTP/1.1 200').length <= 2);
});

t.test('answers one request after the other on a connection that is kept', async (t) => {
  const { address } = await bareAdmin(t);
  const socket = connect(address.port, '127.0.0.1').setEncoding('utf8');
  for (let asked = 0; asked < 5; asked += 1) {
    socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const [answer] = await once(socket, 'data');
    t.match(answer, /^HTTP\/1\.1 200/);
  }
  socket.destroy();
});
