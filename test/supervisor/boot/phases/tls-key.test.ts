import { createHash, X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ConfigError } from '../../../../config/errors.ts';
import { publicKeySha256 } from '../../../../encoding/public-key-hash.ts';
import { KeyError } from '../../../../keys/errors.ts';
import { readCertificateRequest } from '../../../../keys/tls/certificate-request.ts';
import { TlsKeyError } from '../../../../keys/tls/errors.ts';
import { BootTable, boot } from '../../../../supervisor/boot/phase.ts';
import type { Configured } from '../../../../supervisor/boot/phases/configuration.ts';
import { tlsKeyPhase } from '../../../../supervisor/boot/phases/tls-key.ts';
import { SupervisorError } from '../../../../supervisor/errors.ts';
import { GOOD, makeCertificate } from '../../../keys/support/certificate-maker.ts';
import { rejectsCode, throwsCode } from '../../../support/coded-error.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { phaseContext } from '../../support/phase-context.ts';

type Needs = Pick<Configured, 'config' | 'pathOf'>;
const table = BootTable.empty<Needs>().phase(tlsKeyPhase);
const NOW_MS = Date.UTC(2026, 0, 1);
const authority = makeCertificate(GOOD.authority, NOW_MS);
const server = makeCertificate(GOOD.server, NOW_MS, authority);

function run(folder: string, sections: object = { acra: { certificate: 'server.pem' } }) {
  const config = { name: 'demo', acra: {}, tls: { key: 'sealed' }, ...sections };
  const start = { config, pathOf: (file: string) => join(folder, file) };
  const undo: (() => Promise<void> | void)[] = [];
  const context = {
    ...phaseContext('tls-key', new FakeClock()),
    defer: (cleanup: () => Promise<void> | void) => void undo.push(cleanup),
  };
  const stop = async () => {
    for (const each of undo.reverse()) await each();
  };
  return Object.assign(boot(table, start, context, new AbortController().signal), { stop, clock: context.clock });
}

const NAMES = ['db.example.com'];

t.test('knows the key of the server’s own certificate, the first of its file', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'server.pem'), server.pem + authority.pem);
  const spki = server.certificate.publicKey.export({ type: 'spki', format: 'der' });
  const { tlsKeySha256 } = await run(folder);
  t.same(tlsKeySha256(), createHash('sha256').update(spki).digest());
});

t.test('rejects a file that holds no certificate (BOOT_TLS_KEY_UNKNOWN)', async (t) => {
  const folder = temporaryFolder(t);
  for (const text of ['', 'certificate', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n']) {
    writeFileSync(join(folder, 'server.pem'), text);
    await rejectsCode(() => run(folder), SupervisorError, 'BOOT_TLS_KEY_UNKNOWN');
  }
});

t.test('rejects a missing file (CONFIG_FILE_READ)', async (t) => {
  await rejectsCode(() => run(temporaryFolder(t)), ConfigError, 'CONFIG_FILE_READ');
});

t.test('makes another key at each boot, shows a certificate of it, and zeroes it at the end', async (t) => {
  const tls = { key: 'attested', names: NAMES };
  const [one, other] = [run(temporaryFolder(t), { tls }), run(temporaryFolder(t), { tls })];
  const [{ tlsKeySha256, attestedKey, serverCertificate, certificateDesk }, next] = [await one, await other];
  t.notSame(tlsKeySha256(), next.tlsKeySha256());
  t.equal(publicKeySha256(new X509Certificate(serverCertificate.pem)), tlsKeySha256().toString('hex'));
  t.match(serverCertificate.ends, [{ certificate: 'server' }]);
  throwsCode(() => certificateDesk.request(), TlsKeyError, 'TLS_CERTIFICATE_NOT_WANTED');
  throwsCode(() => certificateDesk.install(Buffer.from(server.pem)), TlsKeyError, 'TLS_CERTIFICATE_NOT_WANTED');
  for (const { stop, clock } of [one, other]) {
    await stop();
    t.equal(clock.sleeping, 0);
  }
  t.throws(() => attestedKey?.use(() => undefined), { code: 'RUNTIME_SECRET_WIPED' });
});

t.test('asks for a certificate of its key, and takes only one of the measured CA', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'ca.pem'), authority.pem);
  const tls = { key: 'attested', certificate: 'operator-ca', ca: 'ca.pem', names: NAMES };
  const booting = run(folder, { tls });
  const { tlsKeySha256, serverCertificate, certificateDesk } = await booting;
  throwsCode(() => serverCertificate.pem, SupervisorError, 'BOOT_CERTIFICATE_MISSING');
  t.same(serverCertificate.ends, []);
  const { keySha256, publicKey } = readCertificateRequest(certificateDesk.request().request);
  t.same(keySha256, tlsKeySha256());
  const spki = publicKey.export({ type: 'spki', format: 'der' }).toString('hex');
  const signed = (issuer: typeof authority) =>
    Buffer.from(makeCertificate({ ...GOOD.server, dnsNames: NAMES, spki }, NOW_MS, issuer).pem);
  const foreign = makeCertificate(GOOD.authority, NOW_MS);
  throwsCode(() => certificateDesk.install(signed(foreign)), TlsKeyError, 'TLS_CERTIFICATE_OTHER_CA');
  t.notOk(serverCertificate.isThere);
  t.match(certificateDesk.install(signed(authority)), { certificate: 'server', subject: 'CN=server' });
  t.ok(serverCertificate.isThere);
  await booting.stop();
});

t.test('rejects a CA under which nothing could be brought, and does not wait for it', async (t) => {
  const folder = temporaryFolder(t);
  const tls = { key: 'attested', certificate: 'operator-ca', ca: 'ca.pem', names: NAMES };
  const old = makeCertificate({ ...GOOD.authority, fromDays: -9, toDays: -1 }, NOW_MS);
  for (const [pem, code] of [
    ['certificate', 'CERTIFICATE_FILE_INVALID'],
    [server.pem, 'CERTIFICATE_NOT_CA'],
    [old.pem, 'CERTIFICATE_EXPIRED'],
  ] as const) {
    writeFileSync(join(folder, 'ca.pem'), pem);
    await rejectsCode(() => run(folder, { tls }), KeyError, code);
  }
});

t.test('tells no end twice of a certificate that stands in the image', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'server.pem'), server.pem);
  const { serverCertificate, attestedKey } = await run(folder);
  t.equal(attestedKey, undefined);
  t.equal(serverCertificate.pem, server.pem);
  t.same(serverCertificate.ends, []);
});
