/** The port for monitors: what they ask, in the ways that they ask it. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { Registry } from 'prom-client';
import t, { type Test as TapTest } from 'tap';
import { AdminServer } from '../../../../host-proxy/operator/admin/server.ts';
import type { HostStatus } from '../../../../host-proxy/operator/host-status.ts';
import { hostStatus } from '../../../../host-proxy/operator/host-status.ts';

const SERVING: HostStatus = {
  release: '0.1.0',
  processId: 1,
  state: 'serving',
  ready: true,
  reason: null,
  connected: true,
  publicAddress: 'tcp://0.0.0.0:5432',
  shedding: { active: false, sinceMs: null, total: 0 },
  attestation: { address: 'tcp://127.0.0.1:9465', answers: { 200: 2, 429: 1 } },
  egress: null,
  enclave: { state: 'serving', phase: 'serve', detail: null, errorCode: null, sinceMs: 0 },
  bootId: 'b',
  enclaveRelease: '0.1.0',
  simulated: true,
  measurements: null,
  acraServer: null,
  guard: null,
  certificates: [],
  keys: null,
  logs: { received: 0, dropped: 0 },
  machine: null,
};

async function admin(t: TapTest, status: HostStatus = SERVING) {
  const listen = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const;
  const server = new AdminServer({ listen, status: () => status, metrics: new Registry() });
  await server.start(new AbortController().signal);
  t.teardown(() => server.stop());
  const ask = async (target: string, method = 'GET') => {
    const socket = connect(server.address.port, '127.0.0.1').setEncoding('utf8');
    socket.end(`${method} ${target} HTTP/1.0\r\nHost: x\r\n\r\n`);
    let answer = '';
    socket.on('data', (text: string) => {
      answer += text;
    });
    await once(socket, 'close');
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    return { code: Number(head.split(' ')[1]), body };
  };
  return ask;
}

t.test('answers a monitor whatever it adds to the path', async (t) => {
  const ask = await admin(t);
  for (const path of ['/healthz', '/readyz', '/metrics', '/status'])
    for (const target of [path, `${path}?x=1`, `${path}?`, `${path}/`, `http://host:1${path}?a=b&c`, `${path}#part`])
      t.equal((await ask(target)).code, 200, target);
  t.equal((await ask('/status?pretty', 'HEAD')).body, '');
});

for (const target of ['/', '/status/more', '/statusx', '//status', '*', '/%73tatus/x', '/..'])
  t.test(`finds nothing at ${target}`, async (t) => {
    t.equal((await (await admin(t))(target)).code, 404);
  });

t.test('rejects what would change something', async (t) => {
  const ask = await admin(t);
  for (const method of ['POST', 'PUT', 'DELETE']) t.equal((await ask('/status', method)).code, 405, method);
});

t.test('says why it is not ready, with the code that says it', async (t) => {
  const reason = { code: 'RELAY_ADDRESS_IN_USE', message: 'tcp://0.0.0.0:5432 is taken' };
  const ask = await admin(t, { ...SERVING, ready: false, publicAddress: null, reason });
  const { code, body } = await ask('/readyz?verbose');
  t.equal(code, 503);
  t.equal(body.trim(), 'not ready: serving; phase serve; RELAY_ADDRESS_IN_USE; tcp://0.0.0.0:5432 is taken');
  t.match(hostStatus.parse(JSON.parse((await ask('/status')).body)), { ready: false, reason });
});
