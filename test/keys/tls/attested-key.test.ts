/** The key that an enclave makes: its own certificate is a root for whoever has verified it, its request one that others read too. */

import { execFile } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import t from 'tap';
import { PURPOSE } from '../../../acra/certificate/chain.ts';
import { readCertificateFacts } from '../../../acra/certificate/facts.ts';
import { writePem } from '../../../encoding/pem.ts';
import { publicKeySha256 } from '../../../encoding/public-key-hash.ts';
import { makeTlsKey, requestCertificate, selfSign } from '../../../keys/tls/attested-key.ts';
import { readCertificateRequest } from '../../../keys/tls/certificate-request.ts';
import { checkAuthorities, checkServerCertificate } from '../../../keys/tls/certificate-rules.ts';
import { tlsServerEndPoint } from '../../../postgres/scram/channel-binding.ts';
import { systemRandom } from '../../../runtime/random.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const run = promisify(execFile);
const DAY_MS = 86_400_000;
const NOW_MS = Date.now();
const NAMES = ['db.example.com', '127.0.0.1', '2001:db8::10', '::ffff:192.0.2.1'];
const NAMED = { name: 'demo', names: NAMES };

function made() {
  const key = makeTlsKey();
  const der = selfSign(key, { ...NAMED, days: 90 }, NOW_MS, systemRandom);
  return { key, der, pem: writePem('CERTIFICATE', der) };
}

t.test('makes another key each time, and names its hash', async (t) => {
  const [one, other] = [makeTlsKey(), makeTlsKey()];
  t.notSame(one.sha256, other.sha256);
  const der = selfSign(one, { ...NAMED, days: 1 }, NOW_MS, systemRandom);
  t.equal(publicKeySha256(new X509Certificate(der)), one.sha256.toString('hex'));
  one.privateKey.use((pem) => t.ok(new X509Certificate(der).checkPrivateKey(createPrivateKey(pem))));
});

t.test('signs a certificate that programs take for their own root, as strict readers read it', async (t) => {
  const { der } = made();
  const facts = readCertificateFacts(der);
  t.match(facts, { version: 3, isCa: false, keyUsage: undefined, extendedKeyUsage: [PURPOSE.server] });
  t.same(
    facts.alternativeNames.map(({ value }) => value),
    ['db.example.com', '127.0.0.1', '2001:0db8:0000:0000:0000:0000:0000:0010', '192.0.2.1'],
  );
  const { x509 } = facts;
  t.ok(x509.verify(x509.publicKey));
  t.equal(x509.validToDate.getTime(), Math.floor(NOW_MS / 1000) * 1000 + 90 * DAY_MS);
  t.ok(x509.validFromDate.getTime() <= NOW_MS - 60_000, 'clocks of clients may be behind');
  t.equal(tlsServerEndPoint(x509)?.length, 32, 'SCRAM can be bound to it');
  const file = { file: 'server.pem', certificates: [facts], findings: [] };
  t.same(checkServerCertificate(file, NOW_MS), []);
  t.same(checkAuthorities(file, PURPOSE.server, NOW_MS, true), []);
});

t.test('is taken by OpenSSL as its own root and for its own names only, also by the strict rules', async (t) => {
  const file = join(temporaryFolder(t), 'ca.pem');
  writeFileSync(file, made().pem);
  const verify = (...options: string[]) => run('openssl', ['verify', '-CAfile', file, ...options, file]);
  for (const strict of [[], ['-x509_strict']]) {
    await verify('-purpose', 'sslserver', '-verify_hostname', 'db.example.com', ...strict);
    await verify('-purpose', 'sslserver', '-verify_ip', '2001:db8::10', ...strict);
  }
  await t.rejects(verify('-purpose', 'sslserver', '-verify_hostname', 'other.example.com'));
  await t.rejects(verify('-purpose', 'sslclient'));
});

t.test('is taken by Node among roots of the same name, and no other certificate of that name is', async (t) => {
  const [one, other] = [made(), made()];
  const server = one.key.privateKey.use((pem) => createServer({ cert: one.pem, key: pem }));
  server.on('tlsClientError', () => undefined);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => server.close());
  const address = server.address();
  const dial = async (ca: string): Promise<TLSSocket> => {
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const socket = connect({ port, host: '127.0.0.1', ca });
    t.teardown(() => socket.destroy());
    await once(socket, 'secureConnect');
    return socket;
  };
  t.ok((await dial(one.pem)).authorized);
  t.ok((await dial(other.pem + one.pem)).authorized);
  await t.rejects(dial(other.pem), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
});

t.test('writes a request that OpenSSL reads, and reads it back', async (t) => {
  const { key } = made();
  const der = requestCertificate(key, NAMED);
  const file = join(temporaryFolder(t), 'request.pem');
  writeFileSync(file, writePem('CERTIFICATE REQUEST', der));
  const { stdout } = await run('openssl', ['req', '-in', file, '-noout', '-text', '-verify']);
  for (const text of ['CN = demo', 'DNS:db.example.com', 'IP Address:127.0.0.1', 'IP Address:2001:DB8:0:0:0:0:0:10']) {
    t.match(stdout, text);
  }
  t.match(stdout, 'TLS Web Server Authentication');
  const read = readCertificateRequest(der);
  t.same(read.keySha256, key.sha256);
  t.equal(read.names.length, NAMES.length);
});

t.test('rejects a request of which any byte is another (TLS_REQUEST_INVALID)', async (t) => {
  const der = requestCertificate(makeTlsKey(), NAMED);
  for (const at of der.keys()) {
    const changed = Buffer.from(der);
    changed[at] = (changed[at] ?? 0) ^ 0x01;
    t.throws(() => readCertificateRequest(changed), { code: 'TLS_REQUEST_INVALID' }, String(at));
  }
  for (const wrong of [Buffer.alloc(0), Buffer.concat([der, Buffer.from([0])]), der.subarray(0, -1)]) {
    t.throws(() => readCertificateRequest(wrong), { code: 'TLS_REQUEST_INVALID' });
  }
});
