/** The port for load balancers: two words, and nothing that a stranger could take. */
import { once } from 'node:events';
import { connect, createConnection } from 'node:net';
import t, { type Test } from 'tap';
import { HostProxyError } from '../../../../host-proxy/errors.ts';
import { HealthListener, MAX_CONNECTIONS, REQUEST_MS } from '../../../../host-proxy/operator/health/listener.ts';
import { closed } from '../../../support/closed.ts';
import { rejectsCode } from '../../../support/coded-error.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { MemoryLogger } from '../../../support/memory-logger.ts';
import { silentCrowd } from '../../../support/silent-crowd.ts';

/** What an NLB sends before a health check: LOCAL, TCP over IPv4, and vectors behind addresses of zeroes. */
const NLB_HEADER = Buffer.concat([
  Buffer.from('0d0a0d0a000d0a515549540a20110054', 'hex'),
  Buffer.from('030004bce5951f04004a', 'hex'),
  Buffer.alloc(74),
]);
/** HAProxy, or an NLB for a client: PROXY, 192.0.2.1:1000 to 192.0.2.2:9466. */
const PROXIED_HEADER = Buffer.from('0d0a0d0a000d0a515549540a2111000cc0000201c000020203e824fa', 'hex');

async function listening(t: Test, isReady: () => boolean = () => true) {
  const clock = new FakeClock();
  const logger = new MemoryLogger();
  const listen = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const;
  const listener = new HealthListener({ listen, isReady, clock, logger });
  await listener.start(new AbortController().signal);
  t.teardown(() => listener.stop());
  const { port } = listener.address;
  const say = async (...pieces: readonly (string | Buffer)[]) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let answer = '';
    socket.setEncoding('utf8').on('data', (text: string) => {
      answer += text;
    });
    for (const piece of pieces) await new Promise((resolve) => socket.write(piece, resolve));
    await closed(socket);
    return answer;
  };
  return { clock, listener, port, say };
}

const asked = (target: string, method = 'GET') => `${method} ${target} HTTP/1.1\r\nhost: x\r\n\r\n`;
const statusOf = (answer: string) => Number(answer.split(' ')[1]);

t.test('tells readiness and life by a status and one word, and nothing else', async (t) => {
  let isReady = true;
  const { say } = await listening(t, () => isReady);
  const whole = (line: string, body: string) =>
    `HTTP/1.1 ${line}\r\ncontent-type: text/plain\r\ncontent-length: ${body.length}\r\ncache-control: no-store\r\nConnection: close\r\n\r\n${body}`;
  t.equal(await say(asked('/readyz')), whole('200 OK', 'ready\n'));
  isReady = false;
  t.equal(await say(asked('/readyz')), whole('503 Service Unavailable', 'not ready\n'));
  t.equal(await say(asked('/healthz')), whole('200 OK', 'ok\n'), 'the daemon lives');
  t.notMatch(await say(asked('/readyz', 'HEAD')), /ready/, 'no body');
  t.equal(statusOf(await say(asked('/readyz', 'HEAD'))), 503);
});

for (const target of ['/', '/status', '/metrics', '/readyz/', '/readyz?verbose', '//readyz', '/%72eadyz', '*'])
  t.test(`finds nothing at ${target}`, async (t) => {
    t.equal(statusOf(await (await listening(t)).say(asked(target))), 404);
  });

t.test('rejects every method but GET and HEAD', async (t) => {
  const { say } = await listening(t);
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS'])
    t.equal(statusOf(await say(asked('/readyz', method))), 405, method);
});

for (const [name, header] of [
  ['of a health check of an NLB', NLB_HEADER],
  ['that names a client', PROXIED_HEADER],
] as const)
  t.test(`skips a header of the PROXY protocol ${name}, in whatever pieces it comes`, async (t) => {
    const { say } = await listening(t);
    const bytes = Buffer.concat([header, Buffer.from(asked('/readyz'))]);
    t.equal(statusOf(await say(bytes)), 200);
    for (let at = 1; at <= header.length + 1; at += 1)
      t.equal(statusOf(await say(bytes.subarray(0, at), bytes.subarray(at))), 200, `cut at ${at}`);
  });

t.test('ends what only begins like such a header, without an answer', async (t) => {
  const { say } = await listening(t);
  t.equal(await say('\r\nGET /readyz HTTP/1.1\r\n\r\n'), '');
  t.equal(await say(Buffer.concat([PROXIED_HEADER.subarray(0, 14), Buffer.from('ffff', 'hex')])), '', 'too long');
});

t.test('takes no second request of a connection, no header without end, and no other protocol', async (t) => {
  const { say } = await listening(t);
  t.equal((await say(asked('/healthz') + asked('/healthz'))).split('HTTP/1.1').length, 2);
  t.equal(statusOf(await say(`GET /readyz HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(4_000)}\r\n\r\n`)), 431);
  t.equal(statusOf(await say('SSH-2.0-OpenSSH\r\n\r\n')), 400);
});

t.test(`ends who has not asked within ${REQUEST_MS} ms, however far he is`, async (t) => {
  const { clock, port } = await listening(t);
  for (const beginning of ['', NLB_HEADER.subarray(0, 20), 'GET /readyz HTTP/1.1\r\nhost: ']) {
    const socket = createConnection(port, '127.0.0.1');
    socket.write(beginning);
    while (clock.sleeping < 1) await new Promise(setImmediate);
    clock.advance(REQUEST_MS);
    await closed(socket);
    t.pass(`behind ${beginning.length} bytes`);
  }
});

t.test(`holds ${MAX_CONNECTIONS} connections, and lets nobody be kept out by an address that has many`, async (t) => {
  const { port, say } = await listening(t);
  const { other, many } = await silentCrowd(t, port, MAX_CONNECTIONS);
  const [oldest, ...others] = many;
  t.equal(statusOf(await say(asked('/readyz'))), 200);
  await closed(oldest);
  t.notOk([other, ...others].some(({ destroyed }) => destroyed));
});

t.test('rejects a port that is taken (HOST_HEALTH_BIND), and frees its own when it stops', async (t) => {
  const { listener, port } = await listening(t);
  const listen = { kind: 'tcp', host: '127.0.0.1', port } as const;
  const signal = new AbortController().signal;
  const second = new HealthListener({
    listen,
    isReady: () => true,
    clock: new FakeClock(),
    logger: new MemoryLogger(),
  });
  await rejectsCode(() => second.start(signal), HostProxyError, 'HOST_HEALTH_BIND');
  const silent = createConnection(port, '127.0.0.1');
  await once(silent, 'connect');
  await listener.stop();
  await closed(silent);
  await second.start(signal);
  t.teardown(() => second.stop());
  t.equal(second.address.port, port);
});
