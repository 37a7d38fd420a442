/** What the parent brings as the certificate of the enclave's key is taken only if clients could rely on it: one thing changed, one refusal. */
import { X509Certificate } from 'node:crypto';
import t from 'tap';
import { writePem } from '../../../encoding/pem.ts';
import { acceptCertificate } from '../../../keys/tls/accept-certificate.ts';
import { makeTlsKey, requestCertificate } from '../../../keys/tls/attested-key.ts';
import { readCertificateFile } from '../../../keys/tls/certificate-file.ts';
import { readCertificateRequest } from '../../../keys/tls/certificate-request.ts';
import { TlsKeyError } from '../../../keys/tls/errors.ts';
import { issueCertificate, readAuthority } from '../../../keys/tls/issue-certificate.ts';
import { systemRandom } from '../../../runtime/random.ts';
import { throwsCode } from '../../support/coded-error.ts';
import {
  GOOD,
  type Issuer,
  type Made,
  makeCertificate,
  newEd25519Key,
  newKey,
  newRsaKey,
  type Shape,
} from '../support/certificate-maker.ts';

const NOW_MS = Date.UTC(2026, 5, 1);
const DAY_MS = 86_400_000;
const NAMED = { name: 'demo', names: ['db.example.com', '10.0.0.1'] };
const AUTHORITY = { ...GOOD.authority, subject: 'server CA' };
const authority = makeCertificate(AUTHORITY, NOW_MS);
const key = makeTlsKey();
const request = readCertificateRequest(requestCertificate(key, NAMED));
const demands = {
  keySha256: key.sha256,
  names: NAMED.names,
  authorities: readCertificateFile('ca.pem', Buffer.from(authority.pem)).certificates,
  nowMs: NOW_MS,
};
const accept = (pem: string, change: Partial<typeof demands> = {}) =>
  acceptCertificate(Buffer.from(pem), { ...demands, ...change });

const authorityOf = ({ pem, keyPem }: Made) => readAuthority('ca.pem', Buffer.from(pem), Buffer.from(keyPem), NOW_MS);

function issuedBy(made: Made, days = 7): string {
  const der = issueCertificate(request, authorityOf(made), { days, nowMs: NOW_MS, random: systemRandom });
  return writePem('CERTIFICATE', der);
}

const SHAPE: Shape = {
  subject: 'demo',
  dnsNames: ['db.example.com'],
  names: [[0x87, Buffer.from([10, 0, 0, 1])]],
  purposes: ['server'],
  spki: key.publicKey.export({ type: 'spki', format: 'der' }).toString('hex'),
};

/** By another tool, of another shape. */
const shaped = (change: Shape = {}, issuer: Issuer = authority) =>
  makeCertificate({ ...SHAPE, ...change }, NOW_MS, issuer).pem;

t.test('takes what a CA of any kind signs for its request', async (t) => {
  for (const [kind, caKey] of Object.entries({ ec: newKey(), rsa: newRsaKey(2048), ed25519: newEd25519Key() })) {
    const ca = makeCertificate({ ...AUTHORITY, key: caKey }, NOW_MS);
    const authorities = readCertificateFile('ca.pem', Buffer.from(ca.pem)).certificates;
    const pem = issuedBy(ca);
    const { certificates } = accept(pem, { authorities });
    t.equal(certificates.length, 1, kind);
    const x509 = new X509Certificate(pem);
    t.ok(x509.checkIssued(ca.certificate), kind);
    t.equal(x509.validToDate.getTime(), NOW_MS + 7 * DAY_MS, kind);
  }
  t.ok(accept(shaped()));
  t.ok(accept(shaped({ dnsNames: ['*.example.com'] })), 'a wildcard covers it');
});

t.test('signs nothing beyond the end of the CA', async (t) => {
  const x509 = new X509Certificate(issuedBy(authority, 3_650));
  t.equal(x509.validToDate.getTime(), authority.certificate.validToDate.getTime());
});

t.test('takes a chain by way of a CA between, in its order', async (t) => {
  const between = makeCertificate({ ...AUTHORITY, subject: 'issuing CA' }, NOW_MS, authority);
  const pem = issuedBy(between);
  t.equal(accept(pem + between.pem).certificates.length, 2);
  throwsCode(() => accept(pem), TlsKeyError, 'TLS_CERTIFICATE_OTHER_CA');
  throwsCode(() => accept(between.pem + pem), TlsKeyError, 'TLS_CERTIFICATE_OTHER_KEY');
});

const impostor = makeCertificate(AUTHORITY, NOW_MS);
const own = makeCertificate({ ...AUTHORITY, subject: 'no CA', ca: false }, NOW_MS, authority);
const REFUSED: readonly { readonly what: string; readonly pem: string; readonly code: TlsKeyError['code'] }[] = [
  { what: 'nothing', pem: '', code: 'TLS_CERTIFICATE_INVALID' },
  { what: 'no PEM', pem: 'certificate', code: 'TLS_CERTIFICATE_INVALID' },
  { what: 'a private key beside it', pem: shaped() + authority.keyPem, code: 'TLS_CERTIFICATE_INVALID' },
  { what: 'more than a chain', pem: shaped().repeat(50), code: 'TLS_CERTIFICATE_INVALID' },
  {
    what: 'one of a foreign key',
    pem: makeCertificate({ ...SHAPE, spki: publicHex() }, NOW_MS, authority).pem,
    code: 'TLS_CERTIFICATE_OTHER_KEY',
  },
  {
    what: 'one of another CA',
    pem: issuedBy(makeCertificate({ ...AUTHORITY, subject: 'other CA' }, NOW_MS)),
    code: 'TLS_CERTIFICATE_OTHER_CA',
  },
  { what: 'one of a CA of the same name', pem: issuedBy(impostor), code: 'TLS_CERTIFICATE_OTHER_CA' },
  { what: 'one with that CA beside it', pem: issuedBy(impostor) + impostor.pem, code: 'TLS_CERTIFICATE_OTHER_CA' },
  {
    what: 'one signed by a certificate that is no CA',
    pem: shaped({}, own) + own.pem,
    code: 'TLS_CERTIFICATE_OTHER_CA',
  },
  { what: 'one that has expired', pem: shaped({ fromDays: -9, toDays: -1 }), code: 'TLS_CERTIFICATE_NOT_VALID' },
  { what: 'one that is not valid yet', pem: shaped({ fromDays: 1, toDays: 9 }), code: 'TLS_CERTIFICATE_NOT_VALID' },
  { what: 'one of other names', pem: shaped({ dnsNames: ['db.example.org'] }), code: 'TLS_CERTIFICATE_OTHER_NAMES' },
  { what: 'one that lacks one of the names', pem: shaped({ names: [] }), code: 'TLS_CERTIFICATE_OTHER_NAMES' },
  {
    what: 'one with the name as its common name alone',
    pem: shaped({ subject: 'db.example.com', dnsNames: [] }),
    code: 'TLS_CERTIFICATE_OTHER_NAMES',
  },
  { what: 'one for clients', pem: shaped({ purposes: ['client'] }), code: 'TLS_CERTIFICATE_INVALID' },
  { what: 'a CA', pem: shaped({ ca: true }), code: 'TLS_CERTIFICATE_INVALID' },
  {
    what: 'one that may not sign handshakes',
    pem: shaped({ keyUsage: 'nonRepudiation' }),
    code: 'TLS_CERTIFICATE_INVALID',
  },
  {
    what: 'one with an extension that nobody knows',
    pem: shaped({ unknownCritical: true }),
    code: 'TLS_CERTIFICATE_INVALID',
  },
  { what: 'one signed with SHA-1', pem: shaped({ digest: 'sha1' }), code: 'TLS_CERTIFICATE_OTHER_CA' },
];

function publicHex(): string {
  return makeTlsKey().publicKey.export({ type: 'spki', format: 'der' }).toString('hex');
}

for (const { what, pem, code } of REFUSED) {
  t.test(`rejects ${what} (${code})`, async () => {
    throwsCode(() => accept(pem), TlsKeyError, code);
  });
}

t.test('rejects a CA that cannot sign (TLS_CA_UNUSABLE)', async () => {
  const leaf = makeCertificate(GOOD.server, NOW_MS, authority);
  const old = makeCertificate({ ...AUTHORITY, fromDays: -9, toDays: -1 }, NOW_MS);
  const clients = makeCertificate({ ...AUTHORITY, purposes: ['client'] }, NOW_MS);
  for (const made of [
    leaf,
    old,
    clients,
    { ...authority, keyPem: leaf.keyPem },
    { ...authority, keyPem: '' },
    { ...authority, pem: '' },
  ]) {
    throwsCode(() => authorityOf(made), TlsKeyError, 'TLS_CA_UNUSABLE');
  }
});
