import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import t, { type Test as TapTest } from 'tap';
import { createAuthority } from '../../emulator/pki/authority.ts';
import { startPostgres } from '../../emulator/postgres/server.ts';
import { systemClock } from '../../runtime/clock.ts';
import { probeDatabase } from '../../supervisor/probes/database.ts';
import { probeAcra } from '../../supervisor/workloads/acra/probe.ts';
import { DATABASE_TEMPLATES } from '../support/database-templates.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const signal = () => new AbortController().signal;
const authority = await createAuthority({ commonName: 'database CA', clock: systemClock });
const other = await createAuthority({ commonName: 'other CA', clock: systemClock });
const named = await authority.issue({ commonName: 'db.internal', subjectAltNames: ['db.internal'], kind: 'server' });

/** As PostgreSQL's manual makes one ("Creating Certificates"): the name in the CN alone. */
const recipe = await authority.issue({ commonName: 'db.internal', kind: 'server' });

async function postgres(t: TapTest, tls: boolean, identity = named) {
  const running = await startPostgres({
    folder: temporaryFolder(t),
    users: [{ name: 'someone', password: 'secret' }],
    database: 'records',
    tls: tls ? { certPem: identity.certificatePem, keyPem: identity.privateKeyPem } : undefined,
    durable: false,
    templates: DATABASE_TEMPLATES,
    signal: signal(),
  });
  t.teardown(() => running.stop());
  return { kind: 'tcp', host: running.host, port: running.port } as const;
}

const probe = { serverName: 'db.internal', caPem: authority.certificatePem, timeoutMs: 5000 };

t.test('trusts a real PostgreSQL under the measured name and CA only', async (t) => {
  const target = await postgres(t, true);
  t.match(await probeDatabase({ ...probe, target }, signal()), { kind: 'trusted', fingerprint: /:/ });
  t.match(await probeDatabase({ ...probe, target, serverName: 'elsewhere.internal' }, signal()), { kind: 'untrusted' });
  t.match(await probeDatabase({ ...probe, target, caPem: other.certificatePem }, signal()), { kind: 'untrusted' });
});

t.test('tells a real PostgreSQL whose certificate has its name in the CN alone', async (t) => {
  const answer = await probeDatabase({ ...probe, target: await postgres(t, true, recipe) }, signal());
  t.match(answer, { kind: 'untrusted', reason: /db\.internal.*only in the subject’s CN.*subject alternative name/ });
});

t.test('tells a PostgreSQL without TLS', async (t) => {
  t.same(await probeDatabase({ ...probe, target: await postgres(t, false) }, signal()), { kind: 'without-tls' });
});

async function peer(t: TapTest, serve: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    serve(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { kind: 'tcp', host: '127.0.0.1', port: (server.address() as { port: number }).port } as const;
}

t.test('tells a peer that closes, stays silent, answers garbage or is not there', async (t) => {
  t.same(await probeDatabase({ ...probe, target: await peer(t, (socket) => socket.end()) }, signal()), {
    kind: 'unreachable',
  });
  t.same(await probeDatabase({ ...probe, timeoutMs: 50, target: await peer(t, () => undefined) }, signal()), {
    kind: 'unreachable',
  });
  t.same(await probeDatabase({ ...probe, target: await peer(t, (socket) => socket.write('garbage')) }, signal()), {
    kind: 'without-tls',
  });
  t.match(
    await probeDatabase(
      { ...probe, target: await peer(t, (socket) => socket.write('Sgarbage garbage garbage')) },
      signal(),
    ),
    { kind: /untrusted|unreachable/ },
  );
  const target = { kind: 'unix', path: join(temporaryFolder(t), 'none') } as const;
  t.equal(await probeAcra({ target, dialled: () => 0, timeoutMs: 1000, clock: systemClock }, signal()), 'unreachable');
});

/** What a database does when its TLS handshake has begun: the bytes of the greeting have come. */
const BREAKS: readonly (readonly [string, (socket: Socket) => void, string])[] = [
  ['is reset', (socket) => socket.resetAndDestroy(), 'unreachable'],
  ['is closed', (socket) => socket.end(), 'unreachable'],
  ['is closed in the middle of a record', (socket) => socket.end(Buffer.from('160303007a02', 'hex')), 'unreachable'],
  ['gets no answer', () => undefined, 'unreachable'],
  ['is answered by an alert', (socket) => socket.end(Buffer.from('15030300020228', 'hex')), 'handshake-failed'],
  ['is answered by something else', (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'), 'handshake-failed'],
];

for (const [what, act, kind] of BREAKS)
  t.test(`keeps a handshake that ${what} from being called a certificate that is not trusted`, async (t) => {
    const target = await peer(t, (socket) => {
      socket.once('data', () => {
        socket.write('S');
        socket.once('data', () => act(socket));
      });
    });
    const answer = await probeDatabase({ ...probe, timeoutMs: 500, target }, signal());
    t.equal(answer.kind, kind);
    if (answer.kind === 'handshake-failed')
      t.notMatch(answer.reason, /deps\/openssl|\n/, 'in words, without source files');
  });

t.test('tells an acra-server that accepts from one that is deaf, without sending it a byte', async (t) => {
  let dialled = 0;
  let received = 0;
  const target = await peer(t, (socket) => {
    dialled += 1;
    socket.on('data', (bytes) => {
      received += bytes.length;
    });
  });
  const acra = { target, dialled: () => dialled, timeoutMs: 5000, clock: systemClock };
  t.equal(await probeAcra(acra, signal()), 'accepts');
  t.equal(await probeAcra({ ...acra, dialled: () => 7, timeoutMs: 30 }, signal()), 'deaf');
  t.equal(received, 0);
});

t.test('ends at once when told to', async (t) => {
  const stop = new AbortController();
  const target = await peer(t, () => stop.abort(new Error('told to')));
  await t.rejects(probeDatabase({ ...probe, target }, stop.signal), { message: 'told to' });
});
