import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { MAX_CONNECTIONS, RequestServer } from '../../../supervisor/attestation/request-server.ts';
import { SupervisorError } from '../../../supervisor/errors.ts';
import { encodeFrame } from '../../../wire/control/frame.ts';
import { WireError } from '../../../wire/errors.ts';
import { askEnclave } from '../../../wire/requests/ask.ts';
import { type EnclaveAnswer, parseEnclaveAnswer } from '../../../wire/requests/messages.ts';
import { readOneFrame } from '../../../wire/requests/one-frame.ts';
import type { ParentAnswerer } from '../../../wire/requests/serve.ts';
import { closed } from '../../support/closed.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const ANSWER: EnclaveAnswer = { type: 'attestation', document: 'AAAA', statement: 'e30=' };
const REQUEST = { type: 'attest', nonce: Buffer.alloc(16).toString('base64') } as const;
const signal = new AbortController().signal;

async function serve(t: Test, answerer: ParentAnswerer = async () => ANSWER) {
  const path = join(temporaryFolder(t), 's');
  const clock = new FakeClock();
  const server = new RequestServer(path, answerer, clock);
  await server.start(signal);
  t.teardown(() => server.stop());
  const dial = async (allowHalfOpen = false): Promise<Socket> => {
    const socket = createConnection({ path, allowHalfOpen });
    t.teardown(() => socket.destroy());
    await once(socket, 'connect');
    return socket;
  };
  return { path, clock, server, dial };
}

t.test('answers one request a connection and ends it', async (t) => {
  const asked: unknown[] = [];
  const { dial } = await serve(t, async (request) => {
    asked.push(request);
    return ANSWER;
  });
  const socket = await dial();
  socket.write(Buffer.concat([encodeFrame(REQUEST), encodeFrame(REQUEST)]));
  t.same(parseEnclaveAnswer(await readOneFrame(socket, 1_024, signal)), ANSWER);
  socket.end();
  await closed(socket);
  t.same(asked, [REQUEST]);
});

t.test('answers a request that comes byte by byte, and one whose sender has closed its side', async (t) => {
  const { dial } = await serve(t);
  const slow = await dial();
  for (const byte of encodeFrame(REQUEST)) slow.write(Buffer.of(byte));
  t.same(parseEnclaveAnswer(await readOneFrame(slow, 1_024, signal)), ANSWER);
  const ended = await dial();
  ended.end(encodeFrame(REQUEST));
  t.same(parseEnclaveAnswer(await readOneFrame(ended, 1_024, signal)), ANSWER);
});

const frame = (payload: string | Buffer) => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(payload.length);
  return Buffer.concat([length, Buffer.from(payload)]);
};
const MALFORMED: Readonly<Record<string, Buffer>> = {
  'no JSON': frame('attest'),
  'an unknown request': frame('{"type":"shutdown"}'),
  'no nonce': frame('{"type":"attest"}'),
  'a nonce of 15 bytes': encodeFrame({ ...REQUEST, nonce: Buffer.alloc(15).toString('base64') }),
  'a nonce of 65 bytes': encodeFrame({ ...REQUEST, nonce: Buffer.alloc(65).toString('base64') }),
  'a nonce in hexadecimal': encodeFrame({ ...REQUEST, nonce: 'zz' }),
  'a further member': frame(JSON.stringify({ ...REQUEST, userData: 'AAAA' })),
  'an empty frame': frame(''),
  'a frame that is too long': frame(Buffer.alloc(1_025)),
  HTTP: Buffer.from('GET / HTTP/1.1\r\nhost: enclave\r\n\r\n'),
};
for (const [what, bytes] of Object.entries(MALFORMED)) {
  t.test(`refuses ${what} and ends (REQUEST_MALFORMED)`, async (t) => {
    const { dial } = await serve(t, () => Promise.reject(new Error('must not be asked')));
    const socket = await dial();
    socket.write(bytes);
    const answer = parseEnclaveAnswer(await readOneFrame(socket, 4_096, signal));
    t.match(answer, { type: 'refusal', code: 'REQUEST_MALFORMED' });
    socket.end();
    await closed(socket);
  });
}

t.test('ends who says nothing, or not all, within 10 s', async (t) => {
  const { dial, clock } = await serve(t);
  const silent = await dial();
  const partial = await dial();
  partial.write(encodeFrame(REQUEST).subarray(0, 10));
  await clock.untilSleeping();
  while (clock.sleeping < 2) await new Promise(setImmediate);
  clock.advance(10_000);
  await Promise.all([closed(silent), closed(partial)]);
});

t.test('ends who does not close after the answer within 10 s, and has room for others', async (t) => {
  const { dial, clock } = await serve(t);
  const held = await Promise.all(Array.from({ length: MAX_CONNECTIONS }, () => dial(true)));
  for (const socket of held) socket.write(encodeFrame(REQUEST));
  await Promise.all(held.map((socket) => readOneFrame(socket, 1_024, signal)));
  await rejectsCode(async () => askEnclave(await dial(), REQUEST, signal), WireError, 'WIRE_STREAM_ENDED');
  clock.advance(10_000);
  await new Promise(setImmediate);
  t.same(await askEnclave(await dial(), REQUEST, signal), ANSWER);
});

t.test(`takes ${MAX_CONNECTIONS} connections at once, and closes what is more`, async (t) => {
  const { dial } = await serve(t);
  const held = await Promise.all(Array.from({ length: MAX_CONNECTIONS }, () => dial()));
  const one = await dial();
  await closed(one);
  held[0]?.destroy();
  await new Promise(setImmediate);
  t.same(await askEnclave(await dial(), REQUEST, signal), ANSWER);
});

t.test('leaves nothing open when it stops', async (t) => {
  const { dial, server } = await serve(t);
  const socket = await dial();
  await server.stop();
  await closed(socket);
});

t.test('rejects a path where it cannot listen (REQUESTS_BIND)', async (t) => {
  const server = new RequestServer(join(temporaryFolder(t), 'missing/s'), async () => ANSWER, new FakeClock());
  await rejectsCode(() => server.start(signal), SupervisorError, 'REQUESTS_BIND');
});

t.test('tells the asker when the other end closes without an answer (WIRE_STREAM_ENDED)', async (t) => {
  const { dial, server } = await serve(t, () => new Promise(() => undefined));
  const asking = askEnclave(await dial(), REQUEST, signal);
  await new Promise(setImmediate);
  await server.stop();
  await rejectsCode(() => asking, WireError, 'WIRE_STREAM_ENDED');
});
