/** The door of the KMS proxy: every request, and whatever is none, gets an answer in the form of KMS, within bounds. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import t, { type Test } from 'tap';
import { readCbor } from '../../../encoding/cbor/reader.ts';
import { KmsProxyError } from '../../../supervisor/kms-proxy/errors.ts';
import { countingNsm, kmsEndpoint, REGION as OTHER_REGION } from '../../attestation/support/kms-endpoint.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import type { RawRequest } from './support/proxy-fixture.ts';
import { ask, startProxy } from './support/proxy-fixture.ts';

const KEY = `arn:aws:kms:${OTHER_REGION}:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab`;

/** KMS answers an empty object; the test counts what reaches it. */
async function rig(t: Test, limits: object = {}, answer: Parameters<typeof kmsEndpoint>[1] = () => ({ json: {} })) {
  const endpoint = await kmsEndpoint(t, answer);
  const running = await startProxy(t, {
    section: {
      regions: [{ region: OTHER_REGION, endpoint: 'https://kms.test', ca: 'ca' }],
      allow: [{ key: KEY, actions: ['Encrypt', 'Sign'] }],
      ...limits,
    },
    caPem: endpoint.connection.caPem!,
    target: endpoint.connection.dial,
    nsm: countingNsm(),
    credentials: endpoint.connection.credentials,
  });
  const encrypt = (request: RawRequest = {}) =>
    ask(running.url, { action: 'Encrypt', region: OTHER_REGION, body: { KeyId: KEY, Plaintext: 'eA==' }, ...request });
  return { ...running, heard: endpoint.heard, encrypt };
}

t.test('lets a whole request through, and sends KMS no header of the program’s', async (t) => {
  const { encrypt, heard } = await rig(t);
  const headers = {
    'user-agent': 'tracked/1.0',
    'amz-sdk-invocation-id': 'x',
    cookie: 'a=b',
    'x-amz-security-token': 'own',
  };
  t.match(await encrypt({ headers }), { status: 200, json: {} });
  t.strictSame(
    Object.keys(heard[0]!.headers).sort(),
    ['authorization', 'content-length', 'content-type', 'host', 'x-amz-date', 'x-amz-security-token', 'x-amz-target']
      .concat(heard[0]!.headers.connection === undefined ? [] : ['connection'])
      .sort(),
  );
  t.match(heard[0]!.headers, { host: 'kms.test', 'x-amz-security-token': 'session-token' });
  t.match(heard[0]!.headers.authorization, new RegExp(`Credential=AKIATEST/\\d{8}/${OTHER_REGION}/kms/aws4_request`));
  t.strictSame(heard[0]!.body, { KeyId: KEY, Plaintext: 'eA==' });
});

const REFUSED: readonly [what: string, request: RawRequest, status: number, type: string][] = [
  ['another method', { method: 'GET' }, 400, 'ValidationException'],
  ['another path', { path: '/service/x' }, 400, 'ValidationException'],
  ['a query string, as presigned requests have', { path: '/?X-Amz-Signature=0' }, 400, 'ValidationException'],
  [
    'a target of another service',
    { headers: { 'x-amz-target': 'DynamoDB_20120810.GetItem' } },
    400,
    'ValidationException',
  ],
  [
    'two targets',
    { headers: { 'x-amz-target': 'TrentService.Encrypt, TrentService.Decrypt' } },
    400,
    'ValidationException',
  ],
  ['no signature', { headers: { authorization: '' } }, 400, 'IncompleteSignatureException'],
  ['a signature of another form', { headers: { authorization: 'Bearer x' } }, 400, 'IncompleteSignatureException'],
  ['a signature for another service', { service: 'sts' }, 400, 'IncompleteSignatureException'],
  ['a region that is not named', { region: 'us-east-1' }, 400, 'AccessDeniedException'],
  ['a compressed body', { headers: { 'content-encoding': 'gzip' } }, 415, 'UnsupportedOperationException'],
  ['AWS JSON 1.0', { headers: { 'content-type': 'application/x-amz-json-1.0' } }, 415, 'UnsupportedOperationException'],
  [
    'a form',
    { headers: { 'content-type': 'application/x-www-form-urlencoded' } },
    415,
    'UnsupportedOperationException',
  ],
  ['no JSON', { body: 'Action=Encrypt' }, 400, 'ValidationException'],
  ['an alias', { body: { KeyId: 'alias/x', Plaintext: 'eA==' } }, 400, 'AccessDeniedException'],
];
for (const [what, request, status, type] of REFUSED) {
  t.test(`rejects ${what} (${type}), and asks KMS nothing`, async (t) => {
    const { encrypt, heard } = await rig(t);
    const answer = await encrypt(request);
    t.match(answer, { status, json: { __type: type, message: /\(KMS proxy of the enclave, KMS_PROXY_[A-Z_]+\)$/ } });
    t.equal(answer.headers.get('x-amzn-errortype'), type);
    t.match(
      answer.headers.get('x-amzn-requestid'),
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    t.equal(heard.length, 0);
  });
}

t.test('tells who speaks RPC v2 CBOR, in CBOR, that it is not spoken here', async (t) => {
  const { url } = await rig(t);
  const answer = await fetch(`${url}/service/TrentService/operation/Encrypt`, {
    method: 'POST',
    headers: { 'smithy-protocol': 'rpc-v2-cbor', 'content-type': 'application/cbor' },
    body: Buffer.from('a0', 'hex'),
  });
  t.equal(answer.status, 415);
  t.equal(answer.headers.get('smithy-protocol'), 'rpc-v2-cbor');
  const told = readCbor(Buffer.from(await answer.arrayBuffer()));
  t.match(told instanceof Map ? told.get('message') : '', /AWS JSON 1\.1/);
});

/** Bytes as they are written, and all that comes until the connection ends or the answers are there. */
async function converse(t: Test, { host, port }: { host: string; port: number }, answers: number, ...pieces: string[]) {
  const socket = connect(port, host);
  t.teardown(() => socket.destroy());
  let said = '';
  const done = Promise.withResolvers<void>();
  socket.on('data', (chunk: Buffer) => {
    said += chunk.toString('latin1');
    if (said.split('HTTP/1.1 ').length > answers && said.endsWith('}')) done.resolve();
  });
  socket.on('close', () => done.resolve());
  socket.on('error', () => done.resolve());
  for (const piece of pieces) socket.write(piece);
  await done.promise;
  return said;
}

const head = (extra: string, action = 'Encrypt') =>
  [
    'POST / HTTP/1.1',
    'Host: kms',
    'Content-Type: application/x-amz-json-1.1',
    `X-Amz-Target: TrentService.${action}`,
    `Authorization: AWS4-HMAC-SHA256 Credential=AKID/20260101/${OTHER_REGION}/kms/aws4_request,SignedHeaders=host,Signature=${'0'.repeat(64)}`,
    `${extra}\r\n\r\n`,
  ].join('\r\n');
const BODY = JSON.stringify({ KeyId: KEY, Plaintext: 'eA==' });
const withLength = (body = BODY) => `${head(`Content-Length: ${body.length}`)}${body}`;

t.test('takes chunks, pipelines and bodies that wait for 100 Continue', async (t) => {
  const { encrypt: _, ...door } = await rig(t);
  const chunked = `${head('Transfer-Encoding: chunked')}${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`;
  t.match(await converse(t, door, 1, chunked), /^HTTP\/1\.1 200 /);
  const three = await converse(t, door, 3, `${withLength()}${withLength('{}')}${withLength()}`);
  t.strictSame(
    [...three.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status),
    ['200', '400', '200'],
    'in their order',
  );
  const waiting = connect(door.port, door.host);
  t.teardown(() => waiting.destroy());
  waiting.write(head(`Content-Length: ${BODY.length}\r\nExpect: 100-continue`));
  t.match(String((await once(waiting, 'data'))[0]), /^HTTP\/1\.1 100 /);
  waiting.write(BODY);
  t.match(String((await once(waiting, 'data'))[0]), /^HTTP\/1\.1 200 /);
  t.equal(door.heard.length, 4);
});

t.test(
  'rejects what is longer than allowed, by its length or by its bytes (RequestEntityTooLargeException)',
  async (t) => {
    const { encrypt, ...door } = await rig(t, { maxBodyBytes: 200 });
    const long = { KeyId: KEY, Plaintext: 'A'.repeat(200) };
    t.match(await encrypt({ body: long }), { status: 413, json: { __type: 'RequestEntityTooLargeException' } });
    t.match(
      await encrypt({ body: Buffer.alloc(2_000_000, 'x') }),
      { status: 413 },
      'the answer is read, though all was written',
    );
    const body = JSON.stringify(long);
    const chunked = `${head('Transfer-Encoding: chunked')}${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
    t.match(await converse(t, door, 1, chunked), /^HTTP\/1\.1 413 /);
    const waiting = await converse(t, door, 1, head('Content-Length: 201\r\nExpect: 100-continue'));
    t.match(waiting, /^HTTP\/1\.1 413 .*Connection: close/s, 'without 100 Continue');
    const wide = await converse(t, door, 1, head(`X-Filler: ${'x'.repeat(20_000)}\r\nContent-Length: 2`));
    t.match(wide, /^HTTP\/1\.1 413 .*RequestEntityTooLargeException/s);
    t.equal(door.heard.length, 0);
  },
);

t.test('answers what is no HTTP, or smuggles, or wants to go elsewhere (ValidationException)', async (t) => {
  const { encrypt: _, ...door } = await rig(t);
  for (const [what, bytes] of [
    ['no HTTP', '\x16\x03\x01\x00\x01\r\n\r\n'],
    ['two lengths', head('Content-Length: 2\r\nContent-Length: 3')],
    ['a length and chunks', head('Content-Length: 2\r\nTransfer-Encoding: chunked')],
    ['CONNECT', 'CONNECT kms:443 HTTP/1.1\r\nHost: kms\r\n\r\n'],
    ['another expectation', head('Content-Length: 2\r\nExpect: the-unexpected')],
    ['a header twice', `${head(`Content-Length: 2\r\nX-Amz-Target: TrentService.Decrypt`)}{}`],
    ['no host', 'POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n'],
  ] as const) {
    const said = await converse(t, door, 1, bytes);
    t.match(said, /^HTTP\/1\.1 4\d\d /, what);
    if (what !== 'no host') t.match(said, /ValidationException/, what);
  }
  t.equal(door.heard.length, 0);
});

t.test('ends requests that do not arrive whole in time, head or body (RequestTimeoutException)', async (t) => {
  const { encrypt: _, ...door } = await rig(t, { requestTimeoutMs: 200 });
  for (const piece of ['POST / HT', head('Content-Length: 100'), `${head('Content-Length: 100')}{"Key`]) {
    t.match(await converse(t, door, 1, piece), /^HTTP\/1\.1 408 .*RequestTimeoutException/s);
  }
  t.equal(door.heard.length, 0);
  t.match(door.proxy.samples, [{ labels: { outcome: 'refused' }, value: 3 }]);
});

t.test(
  'makes room for new connections by closing unused ones, and refuses those beyond (ThrottlingException)',
  async (t) => {
    const gate = Promise.withResolvers<void>();
    const { encrypt: _, ...door } = await rig(
      t,
      { maxConnections: 2 },
      () => (response) => void gate.promise.then(() => response.end('{}')),
    );
    const open = async (): Promise<Socket> => {
      const socket = connect(door.port, door.host);
      t.teardown(() => socket.destroy());
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      return socket;
    };
    const [one, two] = [await open(), await open()];
    for (const socket of [one, two]) socket.write(withLength());
    while (door.heard.length < 2) await new Promise((resolve) => setImmediate(resolve));
    const said = await converse(t, door, 1, withLength());
    t.match(said, /^HTTP\/1\.1 400 .*ThrottlingException/s);
    gate.resolve();
    t.match(String((await once(one, 'data'))[0]), /^HTTP\/1\.1 200 /);
    t.match(String((await once(two, 'data'))[0]), /^HTTP\/1\.1 200 /);
    const ends = Promise.race([once(one, 'close'), once(two, 'close')]);
    const third = await converse(t, door, 1, withLength());
    t.match(third, /^HTTP\/1\.1 200 /, 'in the place of one that is not used');
    await ends;
  },
);

t.test('answers requests under way when it stops, and listens no more', async (t) => {
  const { encrypt, proxy, heard, url } = await rig(t, {}, () => () => undefined);
  const asked = encrypt();
  while (heard.length < 1) await new Promise((resolve) => setImmediate(resolve));
  await proxy.stop();
  t.match(await asked, { status: 500, json: { __type: 'KMSInternalException' } });
  await t.rejects(fetch(url));
  await proxy.stop();
});

t.test('does not wait, when it stops, for requests that have not arrived', async (t) => {
  const { encrypt: _, proxy, ...door } = await rig(t, { requestTimeoutMs: 3_600_000 });
  const socket = connect(door.port, door.host);
  t.teardown(() => socket.destroy());
  socket.on('error', () => undefined);
  socket.write(head('Content-Length: 10\r\nExpect: 100-continue'));
  t.match(String((await once(socket, 'data'))[0]), /^HTTP\/1\.1 100 /);
  const closed = once(socket, 'close');
  await proxy.stop();
  await closed;
});

t.test('does not wait for KMS when the program is gone', async (t) => {
  const gone = Promise.withResolvers<void>();
  const { encrypt: _, ...door } = await rig(
    t,
    {},
    () => (_response, request) => void request.socket.once('close', gone.resolve),
  );
  const socket = connect(door.port, door.host);
  socket.write(withLength());
  while (door.heard.length < 1) await new Promise((resolve) => setImmediate(resolve));
  socket.destroy();
  await gone.promise;
  t.pass('the connection to KMS ends');
});

t.test('says so where it cannot listen (KMS_PROXY_LISTEN)', async (t) => {
  const first = await rig(t);
  const section = {
    listen: `tcp://127.0.0.1:${first.port}`,
    regions: [{ region: OTHER_REGION, endpoint: 'https://kms.test', ca: 'ca' }],
    allow: [{ key: KEY, actions: ['Encrypt'] }],
  };
  const { caPem, dial } = (await kmsEndpoint(t, () => ({ json: {} }))).connection;
  await rejectsCode(
    () => startProxy(t, { section, caPem: caPem!, target: dial, nsm: countingNsm() }),
    KmsProxyError,
    'KMS_PROXY_LISTEN',
  );
});
