/** What the parent brings to the desk can neither end the front, nor keep the supervisor busy. */
import type { KeyObject } from 'node:crypto';
import t from 'tap';
import { readCertificateFile } from '../../../keys/tls/certificate-file.ts';
import { readCertificateRequest } from '../../../keys/tls/certificate-request.ts';
import { TlsKeyError } from '../../../keys/tls/errors.ts';
import { openDesk } from '../../../supervisor/tls/certificate-desk.ts';
import { RotatableTlsKey } from '../../../supervisor/tls/rotatable-key.ts';
import { ServerCertificate } from '../../../supervisor/tls/server-certificate.ts';
import { RequestError } from '../../../wire/requests/errors.ts';
import { GOOD, type Issuer, makeCertificate, newRsaKey } from '../../keys/support/certificate-maker.ts';
import { throwsCode } from '../../support/coded-error.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { MemoryLogger } from '../../support/memory-logger.ts';

const NOW_MS = Date.UTC(2026, 5, 1);
const NAMED = { name: 'demo', names: ['db.example.com'] };
const AUTHORITY = { ...GOOD.authority, subject: 'server CA' };
const authority = makeCertificate(AUTHORITY, NOW_MS);

const spkiOf = ({ publicKey }: { readonly publicKey: KeyObject }) =>
  publicKey.export({ type: 'spki', format: 'der' }).toString('hex');

const SERVER = { subject: 'demo', dnsNames: NAMED.names, purposes: ['server'] } as const;

function desk() {
  const clock = new FakeClock(NOW_MS);
  const logger = new MemoryLogger();
  const shown = new ServerCertificate(logger);
  const key = new RotatableTlsKey(logger);
  const issuedBy = (issuer: Issuer, pair = key.candidates[0]) =>
    makeCertificate({ ...SERVER, spki: spkiOf(pair) }, NOW_MS, issuer).pem;
  const authorities = readCertificateFile('ca.pem', Buffer.from(authority.pem)).certificates;
  const { install, request } = openDesk({ ...NAMED, key, authorities, shown, clock });
  return { install: (pem: string) => install(Buffer.from(pem)), request, shown, clock, key, issuedBy };
}

t.test('shows nothing of what the parent puts behind the CA of the configuration', async (t) => {
  const { install, shown, issuedBy } = desk();
  const weak = makeCertificate({ ...GOOD.authority, subject: 'weak', key: newRsaKey(512) }, NOW_MS);
  const crossed = makeCertificate({ ...AUTHORITY, spki: spkiOf(authority.certificate) }, NOW_MS, weak);
  const leaf = issuedBy(authority);
  install(leaf + crossed.pem + weak.pem);
  t.equal(shown.pem, leaf);
});

t.test('rejects a chain with which OpenSSL does not serve (TLS_CERTIFICATE_INVALID)', async (t) => {
  const { install, shown, issuedBy } = desk();
  const between = makeCertificate({ ...GOOD.authority, subject: 'weak', key: newRsaKey(512) }, NOW_MS, authority);
  throwsCode(() => install(issuedBy(between) + between.pem), TlsKeyError, 'TLS_CERTIFICATE_INVALID');
  t.notOk(shown.isThere);
});

t.test('judges so many in a second, whatever they are (REQUEST_RATE_LIMITED)', async (t) => {
  const { install, clock, issuedBy } = desk();
  const leaf = issuedBy(authority);
  for (let count = 0; count < 10; count += 1) install(leaf);
  throwsCode(() => install(leaf), RequestError, 'REQUEST_RATE_LIMITED');
  clock.advance(1_000);
  t.ok(install(leaf));
});

t.test('signs its request once', async (t) => {
  const { request } = desk();
  t.equal(request(), request());
});

t.test(
  'asks for the certificate of a key that is to take over, and shows the old pair until that is there',
  async (t) => {
    const { install, request, shown, key, issuedBy } = desk();
    const before = key.shown;
    const old = issuedBy(authority);
    install(old);
    const rotated = key.rotate();
    t.equal(rotated.kind, 'awaits-certificate');
    t.same(request().keySha256, rotated.keySha256);
    t.same(readCertificateRequest(request().request).keySha256, rotated.keySha256);
    t.equal(key.shown, before);
    t.equal(shown.pem, old);
    const renewed = issuedBy(authority, before);
    install(renewed);
    t.equal(shown.pem, renewed, 'which may be renewed meanwhile');
    t.equal(key.shown, before);
    const next = issuedBy(authority);
    install(next);
    t.equal(shown.pem, next);
    t.same(key.shown.sha256, rotated.keySha256);
    t.throws(() => before.privateKey.use(() => undefined), { code: 'RUNTIME_SECRET_WIPED' });
    throwsCode(() => install(old), TlsKeyError, 'TLS_CERTIFICATE_OTHER_KEY');
  },
);
