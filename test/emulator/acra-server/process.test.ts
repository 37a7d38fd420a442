import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { createAuthority } from '../../../emulator/pki/authority.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { errorFields, client as frames } from './support/frames.ts';
import { connectPlain, connectSecured, GSS_REQUEST, readAll, SSL_REQUEST } from './support/raw-client.ts';
import { type AcraOptions, startRig } from './support/rig.ts';

const rig = await startRig(t);
const acra = await rig.acra();

/** Fields of the ErrorResponse that a client gets before the connection ends. */
const lastError = (bytes: Buffer) => errorFields(bytes.subarray(bytes.indexOf('E') + 5));

const FAILED_STARTS: readonly (readonly [string, AcraOptions, number, string, number?])[] = [
  ['an unknown flag', { moreArguments: ['--tls_db_sni=x'] }, 2, "Can't parse args"],
  ['a flag that it cannot honour', { moreArguments: ['--audit_log_enable=true'] }, 1, "Can't parse args"],
  ['no master key', { masterKey: '' }, 1, 'Cannot load master key'],
  ['a master key that is no base64', { masterKey: '%' }, 1, 'Cannot load master key'],
  ['a master key of 31 bytes', { masterKey: Buffer.alloc(31) }, 1, 'Failed to cache keystore on start'],
  ['another master key', { masterKey: Buffer.alloc(32, 'n') }, 1, 'Failed to cache keystore on start'],
  ['no keystore', { moreArguments: ['--keys_dir=/nonexistent'] }, 1, 'Failed to cache keystore on start'],
  [
    'no encryptor configuration',
    { moreArguments: ['--encryptor_config_file=/nonexistent'] },
    1,
    "Can't load encryptor config",
    507,
  ],
  [
    'no certificate',
    { moreArguments: ['--tls_client_cert=/nonexistent'] },
    1,
    "Configuration error: can't create application TLS config",
    532,
  ],
  [
    'an address it cannot listen on',
    { moreArguments: ['--incoming_connection_string=unix:///nonexistent/s'] },
    0,
    "Can't start listen connections",
    530,
  ],
];

const failedStarts = FAILED_STARTS.map((each) => ({ each, ...rig.launch(each[1]) }));
await Promise.all(failedStarts.map(({ ended }) => ended));
t.test('says loudly that it is a stand-in, in records like those of acra-server', async (t) => {
  const [first = '', ...others] = acra.log().trim().split('\n');
  t.match(JSON.parse(first), {
    level: 'warning',
    msg: /stand-in/,
    product: 'acra-server',
    version: '0.96.0',
    timestamp: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
    unixTime: /^\d+\.\d{3}$/,
  });
  t.match(
    others.map((line) => JSON.parse(line)),
    [{ msg: 'Start listening connections', level: 'info' }],
  );
});

for (const { each, ended, log } of failedStarts) {
  const [what, , exitCode, msg, code] = each;
  t.test(`ends with code ${exitCode} for ${what}`, async (t) => {
    t.equal(await ended, exitCode);
    t.match(JSON.parse(log().trim().split('\n').at(-1) ?? ''), { level: 'error', msg, ...(code ? { code } : {}) });
  });
}

t.test('refuses to start with a file in the keystore that is no key', async (t) => {
  const extra = join(rig.keysFolder, 'encrypted_master_key');
  writeFileSync(extra, 'x');
  const { ended } = rig.launch();
  t.equal(await ended, 1);
  rmSync(extra);
});

t.test('refuses encryptor settings that only acra-server can do', async (t) => {
  const file = join(rig.keysFolder, '..', 'masking.yaml');
  const settings = 'masking: xx, plaintext_length: 2, plaintext_side: left, data_type: str';
  writeFileSync(file, `schemas: [{table: v, columns: [c], encrypted: [{column: c, ${settings}}]}]\n`);
  const { ended } = rig.launch({ moreArguments: [`--encryptor_config_file=${file}`] });
  t.equal(await ended, 1);
});

t.test('refuses a client without TLS (28000)', async (t) => {
  const socket = await connectPlain(acra.port);
  socket.write(frames.startup('app', 'shop'));
  t.match(lastError(await readAll(socket)), { S: 'FATAL', C: '28000' });
});

t.test('answers GSSENCRequest with N, and then takes SSLRequest', async (t) => {
  const socket = await connectPlain(acra.port);
  socket.write(GSS_REQUEST);
  await once(socket, 'readable');
  t.equal(String(socket.read()), 'N');
  socket.write(SSL_REQUEST);
  await once(socket, 'readable');
  t.equal(String(socket.read(1)), 'S');
  socket.destroy();
});

t.test('refuses bytes that come in clear behind the SSLRequest', async (t) => {
  const socket = await connectPlain(acra.port);
  socket.write(Buffer.concat([SSL_REQUEST, Buffer.from('Q\0\0\0\x0dSELECT 1\0')]));
  t.match(lastError(await readAll(socket)), { C: '08P01' });
});

t.test('refuses a client without certificate, or with one of another authority', async (t) => {
  const strangers = await createAuthority({ commonName: 'Test CA', clock: systemClock });
  const stranger = await strangers.issue({
    commonName: 'alice',
    kind: 'client',
  });
  const server = await rig.authority.issue({ commonName: 'alice', kind: 'server' });
  const { ssl } = rig.config(acra, 'nobody');
  for (const certificate of [undefined, stranger, server]) {
    const own = certificate && { cert: certificate.certificatePem, key: certificate.privateKeyPem };
    const socket = await connectSecured(acra.port, { ...(ssl as object), ...own }).catch((error) => error);
    if (!(socket instanceof Error)) t.equal((await readAll(socket)).length, 0);
  }
  t.match(acra.log(), /"msg":"Error in tls handshake with client"/);
});

t.test('speaks TLS 1.2 and 1.3 and the ALPN protocol of libpq, nothing older', async (t) => {
  const { ssl } = rig.config(acra);
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const options = { ...(ssl as object), minVersion: version, maxVersion: version, ALPNProtocols: ['postgresql'] };
    const socket = await connectSecured(acra.port, options);
    t.equal(socket.getProtocol(), version);
    t.equal(socket.alpnProtocol, 'postgresql');
    socket.destroy();
  }
  const old = { ...(ssl as object), minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' } as const;
  await t.rejects(connectSecured(acra.port, old));
});

t.test('rejects a message that is too long before authentication (08P01)', async (t) => {
  const { ssl } = rig.config(acra);
  const socket = await connectSecured(acra.port, ssl as object);
  socket.write(Buffer.from('7fffffff00030000', 'hex'));
  t.match(lastError(await readAll(socket)), { S: 'FATAL', C: '08P01' });
});

t.test('passes on a request to cancel', async (t) => {
  await rig.through(acra, async (client) => {
    // biome-ignore lint/suspicious/noExplicitAny: node-postgres does not show the cancel key in its types
    const { processID, secretKey } = client as any;
    const sleeping = client.query('SELECT pg_sleep(60)');
    const request = Buffer.from('0000001004d2162e0000000000000000', 'hex');
    request.writeInt32BE(processID, 8);
    request.writeInt32BE(secretKey, 12);
    let isOver = false;
    const failed = t.rejects(sleeping, { code: '57014' }).then(() => {
      isOver = true;
    });
    // A request that comes before the statement has begun cancels nothing.
    while (!isOver) {
      const socket = await connectPlain(acra.port);
      socket.write(request);
      await Promise.race([readAll(socket), failed]);
    }
  });
});

t.test('closes the connection while the database is down, and says so in the log (540)', async (t) => {
  const other = await rig.acra({ databasePort: 1 });
  const socket = await connectPlain(other.port);
  t.equal((await readAll(socket)).length, 0);
  t.match(other.log(), /"code":540,"error":"ECONNREFUSED","level":"error","msg":"Can't connect to db"/);
});

t.test('refuses a database without TLS, whatever the client wants', async (t) => {
  const plain = createServer((socket) => socket.on('error', () => undefined).once('data', () => socket.write('N')));
  plain.listen(0, '127.0.0.1');
  await once(plain, 'listening');
  t.teardown(() => plain.close());
  const other = await rig.acra({ databasePort: (plain.address() as AddressInfo).port });
  const socket = await connectPlain(other.port);
  socket.write(SSL_REQUEST);
  const answer = await readAll(socket);
  t.match(lastError(answer), { C: '08006', M: 'the database does not offer TLS' });
});

t.test('refuses a database that cannot prove its name', async (t) => {
  const other = await rig.acra({ databaseName: 'other.test' });
  await t.rejects(
    rig.through(other, async () => undefined),
    { code: '08006' },
  );
  t.match(other.log(), /ERR_TLS_CERT_ALTNAME_INVALID/);
});

t.test('stops with code 1 and log code 101 when a poison record is read', async (t) => {
  const record = await rig.poisonRecord();
  await rig.direct((database) =>
    database.query('INSERT INTO person (id, note, secret) VALUES (1, $1, $2)', ['x', record]),
  );
  const other = await rig.acra({ poisonDetection: true });
  const attempt = rig.through(other, (client) => client.query('SELECT * FROM person'));
  await t.rejects(attempt);
  t.equal(await other.ended, 1);
  t.match(other.log(), /"code":587,[^\n]*"Recognized poison record"/);
  t.match(other.log(), /"code":101,[^\n]*"Detected poison record, exit"/);
  await rig.through(acra, (client) => client.query('SELECT * FROM person'));
});

t.test('keeps serving when nobody reads its log any more', async (t) => {
  const other = await rig.acra();
  other.child.stderr?.destroy();
  for (let attempt = 0; attempt < 3; attempt++) {
    const socket = await connectPlain(other.port);
    socket.write(Buffer.alloc(8));
    await readAll(socket);
  }
  await rig.through(other, async (client) => t.same((await client.query('SELECT 1 AS one')).rows, [{ one: 1 }]));
});

t.test('keeps running whatever clients send', async (t) => {
  const { ssl } = rig.config(acra);
  for (const bytes of ['', '00', '00000000', '16030100', '0000001004d2162e', 'ffffffffffffffff']) {
    const socket = await connectPlain(acra.port);
    socket.end(Buffer.from(bytes, 'hex'));
    await readAll(socket);
  }
  const secured = await connectSecured(acra.port, ssl as object);
  secured.end(Buffer.from('0000000300030000', 'hex'));
  await readAll(secured);
  await rig.through(acra, async (client) => t.same((await client.query('SELECT 1 AS one')).rows, [{ one: 1 }]));
  t.equal(acra.child.exitCode, null);
});
