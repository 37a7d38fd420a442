/** What a hostile or broken server can do to whoever asks it: nothing but an error, bounded in bytes and in time. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import t from 'tap';
import { CliError } from '../../../cli/errors.ts';
import { fetchDirect } from '../../../cli/verify/fetch-direct.ts';
import { attestationUrl, fetchHttp } from '../../../cli/verify/fetch-http.ts';
import { pinOf } from '../../../cli/verify/pin.ts';
import { wrap } from '../../../cli/verify/print.ts';
import { showTls } from '../../../cli/verify/tls-server.ts';
import { encodeFrame } from '../../../wire/control/frame.ts';
import { MAX_ANSWER_BYTES } from '../../../wire/requests/bounds.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { Attesting, attestationPort, httpEndpoint, postgresPort, tlsIdentity } from './support/attesting-server.ts';

const attesting = new Attesting(await tlsIdentity());
const { identity } = attesting;
const nonce = Buffer.alloc(32, 1);
const never = new AbortController().signal;
const at = (port: number) => ({ host: 'localhost', port });

function frame(payload: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(Buffer.byteLength(payload));
  return Buffer.concat([length, Buffer.from(payload)]);
}

const tooLong = Buffer.alloc(4);
tooLong.writeUInt32BE(MAX_ANSWER_BYTES + 1);

for (const [why, bytes] of [
  ['a frame that is longer than any answer', tooLong],
  ['a frame that is not whole', frame('{"type":"attestation"').subarray(0, 9)],
  ['nothing', Buffer.alloc(0)],
  ['no JSON', frame('<html>')],
  ['an unknown answer', frame('{"type":"other"}')],
  ['an unknown member', frame(JSON.stringify({ ...attesting.answer(nonce), more: 1 }))],
  ['no base64', frame('{"type":"attestation","document":"*","statement":""}')],
] as const) {
  t.test(`refuses ${why} (CLI_ATTESTATION_ANSWER)`, async (t) => {
    const port = await attestationPort(t, identity, (_request, socket) => socket.end(bytes));
    await rejectsCode(() => fetchDirect(at(port), nonce, never), CliError, 'CLI_ATTESTATION_ANSWER');
  });
}

t.test('takes the first frame, and nothing that comes behind it', async (t) => {
  const answer = attesting.answer(nonce);
  const port = await attestationPort(t, identity, (_request, socket) => {
    socket.write(Buffer.concat([encodeFrame(answer), Buffer.alloc(1_000_000)]));
  });
  const { document, tls } = await fetchDirect(at(port), nonce, never);
  t.equal(document.toString('base64'), answer.document);
  t.equal(tls?.certificates.length, 2);
});

t.test('leaves a server that does not answer when it is told to (CLI_ATTESTATION_UNREACHABLE)', async (t) => {
  const controller = new AbortController();
  const port = await attestationPort(t, identity, () => controller.abort(new Error('enough')));
  const asking = () => fetchDirect(at(port), nonce, controller.signal);
  await rejectsCode(asking, CliError, 'CLI_ATTESTATION_UNREACHABLE');
});

t.test('leaves a server that does not begin TLS when it is told to (CLI_ATTESTATION_UNREACHABLE)', async (t) => {
  for (const ask of [
    fetchDirect,
    (address: { host: string; port: number }, _: Buffer, signal: AbortSignal) => showTls(address, signal),
  ]) {
    const controller = new AbortController();
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => controller.abort(new Error('enough')));
    }).listen(0, '127.0.0.1');
    t.teardown(() => server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await rejectsCode(() => ask(at(port), nonce, controller.signal), CliError, 'CLI_ATTESTATION_UNREACHABLE');
  }
});

t.test('refuses a server that speaks another protocol (CLI_ATTESTATION_REFUSED)', async (t) => {
  const silent = await attestationPort(t, identity, () => undefined, []);
  await rejectsCode(() => fetchDirect(at(silent), nonce, never), CliError, 'CLI_ATTESTATION_REFUSED');
  const other = await attestationPort(t, identity, () => undefined, ['postgresql']);
  const refused = () => fetchDirect(at(other), nonce, never);
  t.match(await rejectsCode(refused, CliError, 'CLI_ATTESTATION_REFUSED'), { allowed: /TLS ends in the enclave/ });
});

t.test('refuses a server that speaks no TLS, and says so (CLI_ATTESTATION_REFUSED)', async (t) => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined).once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  });
  server.listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const refused = () => fetchDirect(at(port), nonce, never);
  t.match(await rejectsCode(refused, CliError, 'CLI_ATTESTATION_REFUSED'), { message: /does not speak TLS/ });
});

t.test('refuses a server that does not begin TLS as PostgreSQL does (CLI_ATTESTATION_REFUSED)', async (t) => {
  for (const answer of ['N', 'Ejunk', 'S\0']) {
    const port = await postgresPort(t, identity, answer);
    await rejectsCode(() => showTls(at(port), never), CliError, 'CLI_ATTESTATION_REFUSED');
  }
});

t.test('leaves a server that closes when it is asked for TLS at once (CLI_ATTESTATION_REFUSED)', async (t) => {
  const server = createServer((socket) => socket.on('error', () => undefined).once('data', () => socket.end()));
  server.listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await rejectsCode(() => showTls(at(port), never), CliError, 'CLI_ATTESTATION_REFUSED');
});

t.test('refuses what is no answer of the endpoint', async (t) => {
  for (const [status, body, code] of [
    [200, '{', 'CLI_ATTESTATION_ANSWER'],
    [200, '{"version":2}', 'CLI_ATTESTATION_ANSWER'],
    [200, 'x'.repeat(1_000_000), 'CLI_ATTESTATION_ANSWER'],
    [429, '{"error":{"code":"TOO_MANY","message":"later"}}', 'CLI_ATTESTATION_REFUSED'],
    [503, '<html>', 'CLI_ATTESTATION_REFUSED'],
    [302, '', 'CLI_ATTESTATION_REFUSED'],
  ] as const) {
    const port = await httpEndpoint(t, () => [status, body]);
    const url = attestationUrl(`http://127.0.0.1:${port}`);
    await rejectsCode(() => fetchHttp(url, nonce, never), CliError, code);
  }
});

t.test('asks /v1/attestation where no path is named, and another where one is', async (t) => {
  const paths: string[] = [];
  const port = await httpEndpoint(t, (_nonce, path) => {
    paths.push(path);
    return [404, ''];
  });
  for (const address of ['', '/', '/service/attestation'])
    await fetchHttp(attestationUrl(`http://127.0.0.1:${port}${address}`), nonce, never).catch(() => undefined);
  t.same(paths, ['/v1/attestation', '/v1/attestation', '/service/attestation']);
});

t.test(
  'pins the key of a certificate that signed itself, tells authorities apart, and takes nothing else',
  async (t) => {
    const port = await postgresPort(t, identity);
    const { certificates } = await showTls(at(port), never);
    const [own, authority] = certificates as [(typeof certificates)[0], (typeof certificates)[0]];
    t.match(pinOf(certificates, true), { kind: 'authority', pem: authority.toString() });
    t.match(pinOf([authority], true), { kind: 'key' });
    t.same(pinOf([own], true), { kind: 'none' });
    t.same(pinOf([], true), { kind: 'none' });
  },
);

t.test('breaks text at spaces, and what has none at the end of the line', async (t) => {
  t.same(wrap('one two three', 7), ['one two', 'three']);
  t.same(wrap('ab'.repeat(5), 4), ['abab', 'abab', 'ab']);
  t.same(wrap('', 4), ['']);
  for (const line of wrap('the quick brown fox '.repeat(20), 32)) t.ok(line.length <= 32);
});
