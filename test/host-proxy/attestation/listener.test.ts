/** The port for strangers: what they may ask, and what they may not take. */
import { once } from 'node:events';
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { request } from 'undici';
import { EnclaveClient, STRANGERS } from '../../../host-proxy/attestation/enclave-client.ts';
import { AttestationListener, MAX_CONNECTIONS } from '../../../host-proxy/attestation/listener.ts';
import { HostProxyError } from '../../../host-proxy/errors.ts';
import type { EnclaveAnswer } from '../../../wire/requests/messages.ts';
import { type ParentAnswerer, serveRequest } from '../../../wire/requests/serve.ts';
import { closed } from '../../support/closed.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { MemoryLogger } from '../../support/memory-logger.ts';
import { silentCrowd } from '../../support/silent-crowd.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const { maxAsking: MAX_ASKING, maxWaiting: MAX_WAITING } = STRANGERS;
const ANSWER: EnclaveAnswer = { type: 'attestation', document: 'AAAA', statement: 'e30=' };
const NONCE = '0a'.repeat(32);
const NO_LIMIT = { maxPerSecond: 1_000, maxPerSecondPerAddress: 1_000 };

/** An enclave behind the route, and host-proxy's port in front of it. */
const REQUEST = { type: 'attest', nonce: Buffer.alloc(16).toString('base64') } as const;

async function listening(t: Test, answerer: ParentAnswerer = async () => ANSWER, rates = NO_LIMIT) {
  const path = join(temporaryFolder(t), 's');
  const clock = new FakeClock();
  const enclave = createServer({ allowHalfOpen: true }, (socket) => serveRequest(socket, answerer, clock));
  enclave.listen(path);
  await once(enclave, 'listening');
  t.teardown(() => enclave.close());
  const logger = new MemoryLogger();
  const listen = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const;
  const client = new EnclaveClient(path, clock, STRANGERS);
  const listener = new AttestationListener({ listen, rates, client, clock, logger });
  await listener.start(new AbortController().signal);
  t.teardown(() => listener.stop());
  const { port } = listener.address;
  const ask = async (target = `/v1/attestation?nonce=${NONCE}`) => {
    const response = await request(`http://127.0.0.1:${port}${target}`);
    return { status: response.statusCode, headers: response.headers, body: (await response.body.json()) as object };
  };
  return { ask, clock, enclave, listener, logger, port };
}

t.test('gives document and statement for the nonce that was asked', async (t) => {
  const asked: unknown[] = [];
  const { ask, listener } = await listening(t, async (request) => {
    asked.push(request);
    return ANSWER;
  });
  const { status, headers, body } = await ask();
  t.equal(status, 200);
  t.same(body, { version: 1, document: 'AAAA', statement: 'e30=' });
  t.match(headers, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  t.same(asked, [{ type: 'attest', nonce: Buffer.from(NONCE, 'hex').toString('base64') }]);
  t.match(listener.status?.answers, { 200: 1, 429: 0, 503: 0 });
});

t.test('refuses what is over the rate without asking the enclave (429, Retry-After)', async (t) => {
  let asked = 0;
  const answerer = async () => {
    asked += 1;
    return ANSWER;
  };
  const { ask, clock } = await listening(t, answerer, { maxPerSecond: 100, maxPerSecondPerAddress: 2 });
  const statuses: number[] = [];
  for (let index = 0; index < 6; index += 1) statuses.push((await ask()).status);
  t.same(statuses, [200, 200, 200, 200, 429, 429]);
  t.equal(asked, 4);
  t.match(await ask('/elsewhere'), { status: 429, headers: { 'retry-after': '1' } }, 'whatever is asked');
  clock.advance(1_000);
  t.equal((await ask()).status, 200);
});

t.test('passes on the enclave’s own refusals', async (t) => {
  const codes = ['REQUEST_RATE_LIMITED', 'NSM_INTERNAL_ERROR'];
  const { ask } = await listening(t, async () => ({ type: 'refusal', code: codes.shift() ?? '', message: 'no' }));
  t.match(await ask(), { status: 429, body: { error: { code: 'REQUEST_RATE_LIMITED' } } });
  t.match(await ask(), { status: 503, body: { error: { code: 'NSM_INTERNAL_ERROR' } } });
});

t.test(
  'says once that the enclave does not answer, until it does again (HOST_ATTESTATION_UNANSWERED, 503)',
  async (t) => {
    let isThere = false;
    const answerer: ParentAnswerer = () => (isThere ? Promise.resolve(ANSWER) : Promise.reject(new Error('gone')));
    const { ask, logger } = await listening(t, answerer);
    const told = () => logger.records.filter(({ event }) => event === 'attestation.unanswered').length;
    for (const _ of [1, 2])
      t.match(await ask(), { status: 503, body: { error: { code: 'HOST_ATTESTATION_UNANSWERED' } } });
    t.equal(told(), 1);
    isThere = true;
    t.equal((await ask()).status, 200);
    isThere = false;
    await ask();
    t.equal(told(), 2);
  },
);

t.test('answers that the enclave is not there, and one that does not answer within 5 s (503)', async (t) => {
  const { ask, clock, enclave } = await listening(t, () => new Promise(() => undefined));
  const asking = ask();
  while (clock.sleeping < 2) await new Promise(setImmediate);
  clock.advance(5_000);
  t.match(await asking, { status: 503, body: { error: { code: 'HOST_ATTESTATION_UNANSWERED' } } });
  enclave.close();
  t.equal((await ask()).status, 503);
});

t.test('asks so many at once and lets so many wait, and refuses the rest (HOST_ATTESTATION_RATE, 429)', async (t) => {
  const waiting: (() => void)[] = [];
  const answerer: ParentAnswerer = () => new Promise((resolve) => waiting.push(() => resolve(ANSWER)));
  const path = join(temporaryFolder(t), 's');
  const clock = new FakeClock();
  const enclave = createServer((socket) => serveRequest(socket, answerer, clock)).listen(path);
  await once(enclave, 'listening');
  t.teardown(() => enclave.close());
  const client = new EnclaveClient(path, clock, STRANGERS);
  const signal = new AbortController().signal;
  const attest = () => client.ask(REQUEST, signal);
  const all = Array.from({ length: MAX_ASKING + MAX_WAITING }, attest);
  await rejectsCode(attest, HostProxyError, 'HOST_ATTESTATION_RATE');
  let mostAtOnce = 0;
  for (let answered = 0; answered < all.length; ) {
    await new Promise(setImmediate);
    mostAtOnce = Math.max(mostAtOnce, waiting.length);
    if (waiting.length < Math.min(MAX_ASKING, all.length - answered)) continue;
    for (const answer of waiting.splice(0)) {
      answer();
      answered += 1;
    }
  }
  t.same(new Set((await Promise.all(all)).map(({ type }) => type)), new Set(['attestation']));
  t.equal(mostAtOnce, MAX_ASKING);
});

t.test('gives the turn of those who leave to others', async (t) => {
  const path = join(temporaryFolder(t), 'missing');
  const client = new EnclaveClient(path, new FakeClock(), STRANGERS);
  const left = AbortSignal.abort(new Error('left'));
  for (let index = 0; index < 3 * (MAX_ASKING + MAX_WAITING); index += 1) {
    await rejectsCode(() => client.ask(REQUEST, left), HostProxyError, 'HOST_ATTESTATION_UNANSWERED');
  }
});

t.test('takes no body, and no header without end', async (t) => {
  const { port } = await listening(t);
  const say = async (text: string) => {
    const socket = createConnection(port, '127.0.0.1').setEncoding('utf8');
    let answer = '';
    socket.on('data', (chunk: string) => (answer += chunk));
    socket.write(text);
    await closed(socket);
    return answer.split('\r\n')[0];
  };
  const head = `GET /v1/attestation?nonce=${NONCE} HTTP/1.1\r\nhost: x\r\n`;
  t.match(await say(`${head}content-length: 5\r\n\r\nhello`), '400');
  t.match(await say(`${head}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`), '400');
  t.match(await say(`${head}x: ${'y'.repeat(10_000)}\r\n\r\n`), '431');
  t.match(await say('SSH-2.0-OpenSSH\r\n\r\n'), '400');
});

t.test(`holds ${MAX_CONNECTIONS} connections, and lets nobody be kept out by an address that has many`, async (t) => {
  const { ask, listener, port } = await listening(t);
  const { other, many } = await silentCrowd(t, port, MAX_CONNECTIONS);
  const [oldest, ...others] = many;
  t.equal((await ask()).status, 200);
  await closed(oldest);
  t.notOk([other, ...others].some(({ destroyed }) => destroyed));
  t.match(listener.status?.answers, { 200: 1 });
});

t.test('rejects a port that is taken (HOST_ATTESTATION_BIND)', async (t) => {
  const { port } = await listening(t);
  const listen = { kind: 'tcp', host: '127.0.0.1', port } as const;
  const clock = new FakeClock();
  const client = new EnclaveClient('/nonexistent', clock, STRANGERS);
  const second = new AttestationListener({ listen, rates: NO_LIMIT, client, clock, logger: new MemoryLogger() });
  await rejectsCode(() => second.start(new AbortController().signal), HostProxyError, 'HOST_ATTESTATION_BIND');
});
