import { once } from 'node:events';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import t from 'tap';
import { CredentialStore } from '../../../emulator/credentials.ts';
import { startImds } from '../../../emulator/imds/server.ts';
import { createAuthority } from '../../../emulator/pki/authority.ts';
import { realSystem } from '../../../host-proxy/doctor/real-system.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { systemRandom } from '../../../runtime/random.ts';
import { setIntegerOption } from '../../../system/libc/sockets.ts';
import type { TcpEndpoint } from '../../../wire/endpoint.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

type Test = Parameters<typeof temporaryFolder>[0];

const IPPROTO_IP = 0;
const NOBODY = 65_534;
const IP_TTL = 2;
const system = realSystem(systemClock);
const soon = () => AbortSignal.timeout(20_000);

async function listen(t: Test, server: Server): Promise<TcpEndpoint> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => void server.close());
  return { kind: 'tcp', host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

t.test('asks a real IMDSv2 server, with and without a token', async (t) => {
  const folder = temporaryFolder(t);
  const imds = await startImds({
    folder,
    role: 'a-role',
    credentials: new CredentialStore({ folder, clock: systemClock, random: systemRandom }),
    clock: systemClock,
    lifetimeMs: 3_600_000,
  });
  t.teardown(() => imds.stop());
  const endpoint = { kind: 'tcp', host: imds.host, port: imds.port } as const;
  const path = '/latest/meta-data/iam/security-credentials/';
  t.equal((await system.ask(endpoint, { method: 'GET', path, headers: {} }, soon())).status, 401);
  const headers = { 'x-aws-ec2-metadata-token-ttl-seconds': '60' };
  const issued = await system.ask(endpoint, { method: 'PUT', path: '/latest/api/token', headers }, soon());
  t.equal(issued.status, 200);
  const token = { 'x-aws-ec2-metadata-token': issued.body };
  t.same(await system.ask(endpoint, { method: 'GET', path, headers: token }, soon()), { status: 200, body: 'a-role' });
});

/** Answers every request, and sends the answer with the given time-to-live, as IMDS does with its hop limit. */
function answersWithTtl(ttl: number): Server {
  return createServer((socket: Socket) => {
    const { fd } = (socket as unknown as { readonly _handle: { readonly fd: number } })._handle;
    setIntegerOption(fd, IPPROTO_IP, IP_TTL, ttl);
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nTOKEN'));
  });
}

t.test('hears an answer whose time-to-live is the minimum', async (t) => {
  const endpoint = await listen(t, answersWithTtl(2));
  const question = { method: 'PUT', path: '/', headers: {}, minimumTtl: 2 } as const;
  t.same(await system.ask(endpoint, question, soon()), { status: 200, body: 'TOKEN' });
});

t.test('does not hear an answer whose time-to-live is below the minimum', async (t) => {
  const endpoint = await listen(t, answersWithTtl(1));
  const stop = new AbortController();
  const question = { method: 'PUT', path: '/', headers: {} } as const;
  const deaf = system.ask(endpoint, { ...question, minimumTtl: 2 }, stop.signal).catch((error: Error) => error.name);
  // Asked later, answered by the same server: what the other socket has not heard by now is dropped.
  for (let i = 0; i < 3; i++) t.equal((await system.ask(endpoint, question, soon())).status, 200);
  stop.abort();
  t.equal(await deaf, 'AbortError');
});

for (const [answer, expected] of [
  ['S', 'S'],
  ['N', 'N'],
  ['HTTP/1.1 400', 'H'],
] as const) {
  t.test(`asks PostgreSQL for TLS and hears ${expected}`, async (t) => {
    let asked = '';
    const endpoint = await listen(
      t,
      createServer((socket) => {
        socket.on('error', () => undefined);
        socket.once('data', (data) => {
          asked = data.toString('hex');
          socket.write(answer);
        });
      }),
    );
    t.equal(await system.postgresTlsAnswer(endpoint, soon()), expected);
    t.equal(asked, '0000000804d2162f');
  });
}

t.test('rejects a database that closes without an answer', async (t) => {
  const endpoint = await listen(
    t,
    createServer((socket) => void socket.end()),
  );
  await t.rejects(system.postgresTlsAnswer(endpoint, soon()), { message: /without an answer/ });
});

t.test('takes the date over TLS from a trusted server alone, and only under its name', async (t) => {
  const authority = await createAuthority({ commonName: 'test CA', clock: systemClock });
  const serverNamed = async (name: string) => {
    const issued = await authority.issue({ commonName: name, subjectAltNames: [name], kind: 'server' });
    const server = createHttpsServer(
      { cert: issued.certificatePem, key: issued.privateKeyPem },
      (_request, response) => {
        response.writeHead(404, { date: 'Thu, 01 Jan 2026 00:00:00 GMT' }).end();
      },
    );
    return { ...(await listen(t, server)), host: 'localhost' };
  };
  const endpoint = await serverNamed('localhost');
  await t.rejects(system.dateOverTls(endpoint, soon()), { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
  const before = getCACertificates('default');
  t.teardown(() => setDefaultCACertificates(before));
  setDefaultCACertificates([authority.certificatePem]);
  t.equal(await system.dateOverTls(endpoint, soon()), 'Thu, 01 Jan 2026 00:00:00 GMT');
  await t.rejects(system.dateOverTls(await serverNamed('other.internal'), soon()), {
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  });
});

t.test('tells what there is in the file system, and nothing of what there is not', async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'image');
  writeFileSync(file, '.eif and more');
  mkdirSync(join(folder, 'closed'));
  chmodSync(file, 0o400);
  const { bytes, readable } = system.status(file) ?? {};
  t.same([bytes, readable], [13, true]);
  t.equal(system.readRange(file, 0, 4)?.toString(), '.eif');
  t.equal(system.readText(file), '.eif and more');
  t.same([...system.list(folder)].sort(), ['closed', 'image']);
  const absent = join(folder, 'absent');
  t.same(
    [system.status(absent), system.readText(absent), system.readRange(absent, 0, 4)],
    [undefined, undefined, undefined],
  );
  t.same(system.list(absent), []);
});

t.test('tells what is hidden from this user from what is not there', async (t) => {
  const folder = join(temporaryFolder(t), 'closed');
  mkdirSync(folder);
  writeFileSync(join(folder, 'image'), '');
  t.notOk(system.isHidden(join(folder, 'image')));
  t.notOk(system.isHidden(join(folder, 'absent')));
  chmodSync(folder, 0);
  t.teardown(() => chmodSync(folder, 0o700));
  const [status, hidden] = asOrdinaryUser(() => {
    const image = join(folder, 'image');
    return [system.status(image), system.isHidden(image)];
  });
  t.equal(status, undefined);
  t.equal(hidden, true);
});

/** Root may look everywhere. */
function asOrdinaryUser<Value>(look: () => Value): Value {
  if (process.geteuid?.() !== 0) return look();
  process.seteuid?.(NOBODY);
  try {
    return look();
  } finally {
    process.seteuid?.(0);
  }
}

t.test('runs programs, and tells a missing one from a failing one', async (t) => {
  t.match(await system.run('sh', ['-c', 'echo said; exit 3'], soon()), { code: 3, stdout: 'said\n' });
  t.equal(await system.run('acra-enclave-no-such-program', [], soon()), undefined);
});

t.test('tells the truth about vsock', async (t) => {
  const error = system.vsockError();
  t.match(error ?? 'ENOERROR', /^E[A-Z]+$/);
});
