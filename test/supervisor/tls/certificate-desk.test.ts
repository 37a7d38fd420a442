/** What the parent brings to the desk can neither end the front, nor keep the supervisor busy. */
import type { KeyObject } from 'node:crypto';
import t from 'tap';
import { makeTlsKey } from '../../../keys/tls/attested-key.ts';
import { readCertificateFile } from '../../../keys/tls/certificate-file.ts';
import { TlsKeyError } from '../../../keys/tls/errors.ts';
import { openDesk } from '../../../supervisor/tls/certificate-desk.ts';
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
const key = makeTlsKey();

const spkiOf = ({ publicKey }: { readonly publicKey: KeyObject }) =>
  publicKey.export({ type: 'spki', format: 'der' }).toString('hex');

const SERVER = {
  subject: 'demo',
  dnsNames: NAMED.names,
  purposes: ['server'],
  spki: spkiOf(key),
} as const;
const issuedBy = (issuer: Issuer) => makeCertificate(SERVER, NOW_MS, issuer).pem;

function desk() {
  const clock = new FakeClock(NOW_MS);
  const shown = new ServerCertificate(new MemoryLogger());
  const authorities = readCertificateFile('ca.pem', Buffer.from(authority.pem)).certificates;
  const { install, request } = openDesk({ ...NAMED, key, authorities, shown, clock });
  return { install: (pem: string) => install(Buffer.from(pem)), request, shown, clock };
}

t.test('shows nothing of what the parent puts behind the CA of the configuration', async (t) => {
  const { install, shown } = desk();
  const weak = makeCertificate({ ...GOOD.authority, subject: 'weak', key: newRsaKey(512) }, NOW_MS);
  const crossed = makeCertificate({ ...AUTHORITY, spki: spkiOf(authority.certificate) }, NOW_MS, weak);
  const leaf = issuedBy(authority);
  install(leaf + crossed.pem + weak.pem);
  t.equal(shown.pem, leaf);
});

t.test('rejects a chain with which OpenSSL does not serve (TLS_CERTIFICATE_INVALID)', async (t) => {
  const { install, shown } = desk();
  const between = makeCertificate({ ...GOOD.authority, subject: 'weak', key: newRsaKey(512) }, NOW_MS, authority);
  throwsCode(() => install(issuedBy(between) + between.pem), TlsKeyError, 'TLS_CERTIFICATE_INVALID');
  t.notOk(shown.isThere);
});

t.test('judges so many in a second, whatever they are (REQUEST_RATE_LIMITED)', async (t) => {
  const { install, clock } = desk();
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
