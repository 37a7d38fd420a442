import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { connect } from 'node:tls';
import { GenerateRandomCommand, KMSClient } from '@aws-sdk/client-kms';
import t from 'tap';
import { EmulatorError } from '../../../emulator/errors.ts';
import { startKms } from '../../../emulator/kms/server.ts';
import { listenOnLoopback } from '../../../emulator/loopback-http.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { kmsFixture, REGION, serviceError } from '../support/kms-fixture.ts';

interface Post {
  readonly url: string;
  readonly ca: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

async function post({ url, ca, headers = {}, body = '{}' }: Post) {
  const sent = request(url, { method: 'POST', ca, headers, agent: false }).end(body);
  const [response] = await once(sent, 'response');
  let text = '';
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode, headers: response.headers, body: JSON.parse(text) };
}

t.test('its certificate bears the name of the regional endpoint', async (t) => {
  const { kms, admin } = await kmsFixture(t);
  t.equal(await serviceError(admin.send(new GenerateRandomCommand({ NumberOfBytes: 1 }))), 'no error', '127.0.0.1');
  for (const servername of [`kms.${REGION}.amazonaws.com`, 'localhost']) {
    const socket = connect({ host: kms.host, port: kms.port, servername, ca: kms.caPem });
    await once(socket, 'secureConnect');
    t.ok(socket.authorized, servername);
    socket.destroy();
  }
});

t.test('is not trusted without its authority, and does not speak without TLS', async (t) => {
  const { kms } = await kmsFixture(t);
  const stranger = new KMSClient({
    region: REGION,
    endpoint: kms.url,
    maxAttempts: 1,
    credentials: kms.adminCredentials,
  });
  t.teardown(() => stranger.destroy());
  await t.rejects(stranger.send(new GenerateRandomCommand({ NumberOfBytes: 1 })), {
    code: /CERT|SIGNATURE|SELF_SIGNED/,
  });
  const plain = httpRequest({ host: kms.host, port: kms.port, agent: false }).end();
  await t.rejects(once(plain, 'response'), { code: 'ECONNRESET' });
});

t.test('writes errors as KMS does', async (t) => {
  const { kms, clock } = await kmsFixture(t);
  const answer = await post({ url: kms.url, ca: kms.caPem, headers: { 'x-amz-target': 'TrentService.Decrypt' } });
  t.equal(answer.status, 400);
  t.match(answer.headers, { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': /^[0-9a-f-]{36}$/ });
  t.match(answer.body, { __type: 'MissingAuthenticationTokenException', message: /./ });
  t.equal(Date.parse(answer.headers.date), Math.floor(clock.nowMs() / 1000) * 1000, 'dated by its own clock');
});

t.test('rejects what is no operation (UnknownOperationException)', async (t) => {
  const { kms } = await kmsFixture(t);
  const ca = kms.caPem;
  const requests: Record<string, Post> = {
    'no target': { url: kms.url, ca },
    'another path': { url: `${kms.url}/x`, ca, headers: { 'x-amz-target': 'TrentService.Decrypt' } },
    'an inherited name': { url: kms.url, ca, headers: { 'x-amz-target': 'TrentService.constructor' } },
  };
  for (const [name, input] of Object.entries(requests)) {
    t.equal((await post(input)).body.__type, 'UnknownOperationException', name);
  }
});

t.test('rejects a body over 64 KiB (RequestEntityTooLargeException)', async (t) => {
  const { kms } = await kmsFixture(t);
  const answer = await post({ url: kms.url, ca: kms.caPem, body: 'x'.repeat(64 * 1024 + 1) });
  t.equal(answer.status, 413);
  t.equal(answer.body.__type, 'RequestEntityTooLargeException');
});

t.test('gives up on a request that does not arrive in time', async (t) => {
  const { credentials, nsm, clock } = await kmsFixture(t);
  const options = {
    folder: temporaryFolder(t),
    region: REGION,
    nsmTrust: { kind: 'signed', rootDer: nsm.root.rootDer } as const,
    credentials,
    clock,
  };
  const kms = await startKms({ ...options, requestTimeoutMs: 100 });
  t.teardown(() => kms.stop());
  const socket = connect({ host: kms.host, port: kms.port, ca: kms.caPem });
  socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf');
  const [chunk] = await once(socket, 'data');
  t.match(String(chunk), /^HTTP\/1.1 408 /);
  await once(socket, 'close');
});

t.test('rejects a port that is taken, and leaves nothing open (EMULATOR_LISTEN)', async (t) => {
  const { credentials, nsm, clock } = await kmsFixture(t);
  const holder = createServer();
  t.teardown(() => holder.close());
  const { port } = await listenOnLoopback(holder, 0);
  const options = {
    folder: temporaryFolder(t),
    region: REGION,
    nsmTrust: { kind: 'signed', rootDer: nsm.root.rootDer } as const,
    credentials,
    clock,
  };
  await rejectsCode(() => startKms({ ...options, port }), EmulatorError, 'EMULATOR_LISTEN');
});

t.test('stops twice without complaint', async (t) => {
  const { kms } = await kmsFixture(t);
  await kms.stop();
  await kms.stop();
  await t.rejects(post({ url: kms.url, ca: kms.caPem }), { code: 'ECONNREFUSED' });
});
