/** What acra-server or applications would refuse later is refused by name; docs/specs/acra-server.md tells where each rule is from. */
import { rootCertificates } from 'node:tls';
import t from 'tap';
import { PURPOSE } from '../../../acra/certificate/chain.ts';
import { readCertificateFile } from '../../../keys/tls/certificate-file.ts';
import {
  checkAuthorities,
  checkClientCertificate,
  checkServerCertificate,
} from '../../../keys/tls/certificate-rules.ts';
import type { Shape } from '../support/certificate-maker.ts';
import { GOOD, makeCertificate, newKey, newRsaKey, pemOf } from '../support/certificate-maker.ts';
import { oddChains, READABLE, UNREADABLE } from '../support/odd-certificates.ts';

const NOW_MS = Date.UTC(2026, 5, 1);
const authority = makeCertificate(GOOD.authority, NOW_MS);
const other = makeCertificate({ ...GOOD.authority, subject: 'other CA' }, NOW_MS);
const file = (text: string | Buffer) => readCertificateFile('file.pem', Buffer.from(text));
const codes = (findings: readonly { readonly code: string }[]) => findings.map(({ code }) => code);

const server = (change: Shape = {}) => makeCertificate({ ...GOOD.server, ...change }, NOW_MS, authority).pem;
const client = (change: Shape = {}, issuer = authority) =>
  makeCertificate({ ...GOOD.client, ...change }, NOW_MS, issuer).pem;
const serverCodes = (text: string | Buffer) => codes(checkServerCertificate(file(text), NOW_MS));
const clientCodes = (text: string | Buffer) =>
  codes(checkClientCertificate(file(text), file(authority.pem).certificates, NOW_MS));
const authorityCodes = (text: string | Buffer, mayBeOwn = false) =>
  codes(checkAuthorities(file(text), PURPOSE.client, NOW_MS, mayBeOwn));

t.test('accepts what acra-server and applications accept', async (t) => {
  const middle = makeCertificate({ ...GOOD.authority, subject: 'middle CA' }, NOW_MS, authority);
  const servers = {
    plain: server(),
    'without extended key usage': makeCertificate({ subject: 's', dnsNames: ['a.test'] }, NOW_MS, authority).pem,
    'for any purpose': server({ purposes: ['any'] }),
    'self-signed': makeCertificate(GOOD.server, NOW_MS).pem,
    'with its issuer and text between': `subject=/CN=x\n${server()}\nroot:\n${authority.pem}`,
    'of RSA': server({ key: newRsaKey(2048) }),
    'with lines that end as on Windows': server().replaceAll('\n', '\r\n'),
  };
  for (const [what, text] of Object.entries(servers)) t.same(serverCodes(text), [], `server: ${what}`);
  const clients = {
    plain: client(),
    'with clientAuth and no key usage': makeCertificate({ purposes: ['client'] }, NOW_MS, authority).pem,
    'with digitalSignature and no extended key usage': makeCertificate(
      { keyUsage: 'digitalSignature' },
      NOW_MS,
      authority,
    ).pem,
    'for any purpose and signatures': client({ purposes: ['any'] }),
    'for servers and clients': client({ purposes: ['server', 'client'] }),
    'of RSA with 1024 bits': client({ key: newRsaKey(1024) }),
    'with a negative serial number': client({ serial: 'ff' }),
    'issued by a CA below ours, with that CA': `${client({}, middle)}${middle.pem}`,
  };
  for (const [what, text] of Object.entries(clients)) t.same(clientCodes(text), [], `client: ${what}`);
  const authorities = {
    plain: authority.pem,
    'without key usage': makeCertificate({ ca: true }, NOW_MS).pem,
    'of version 1': makeCertificate({ version: 1 }, NOW_MS).pem,
    'an old one and a new one': makeCertificate({ ...GOOD.authority, toDays: -0.5 }, NOW_MS).pem + authority.pem,
  };
  for (const [what, text] of Object.entries(authorities)) t.same(authorityCodes(text), [], `CA: ${what}`);
});

const SERVERS: readonly (readonly [string, string, Shape])[] = [
  ['no alternative name', 'CERTIFICATE_NOT_SERVER', { dnsNames: undefined } as never],
  ['a CA', 'CERTIFICATE_NOT_SERVER', { ca: true }],
  ['one for clients only', 'CERTIFICATE_NOT_SERVER', { purposes: ['client'] }],
  ['version 1', 'CERTIFICATE_NOT_SERVER', { version: 1 }],
  ['one that has expired', 'CERTIFICATE_EXPIRED', { fromDays: -9, toDays: -1 }],
  ['one of tomorrow', 'CERTIFICATE_NOT_YET_VALID', { fromDays: 1 }],
  ['RSA of 1024 bits', 'CERTIFICATE_ALGORITHM', { key: newRsaKey(1024) }],
  ['a key usage of signing certificates alone', 'CERTIFICATE_NOT_SERVER', { keyUsage: 'keyCertSign' }],
  ['a key usage of non-repudiation alone', 'CERTIFICATE_NOT_SERVER', { keyUsage: 'nonRepudiation' }],
  ['a mail address for its only name', 'CERTIFICATE_NOT_SERVER', { dnsNames: [], names: [[0x81, 'a@b.test']] }],
  ['a URI for its only name', 'CERTIFICATE_NOT_SERVER', { dnsNames: [], names: [[0x86, 'https://a.test/']] }],
];
for (const [what, code, change] of SERVERS) {
  t.test(`rejects a server certificate: ${what} (${code})`, async (t) => {
    t.same(serverCodes(server(change)), [code]);
  });
}

const CLIENTS: readonly (readonly [string, string, Shape])[] = [
  ['version 1', 'CERTIFICATE_NOT_CLIENT', { version: 1 }],
  ['a CA', 'CERTIFICATE_NOT_CLIENT', { ca: true }],
  ['one for servers only', 'CERTIFICATE_NOT_CLIENT', { purposes: ['server'] }],
  ['one for mail only', 'CERTIFICATE_NOT_CLIENT', { purposes: ['email'] }],
  [
    'neither clientAuth nor digitalSignature',
    'CERTIFICATE_NOT_CLIENT',
    { purposes: undefined, keyUsage: 'keyEncipherment' } as never,
  ],
  [
    'any purpose without digitalSignature',
    'CERTIFICATE_NOT_CLIENT',
    { purposes: ['any'], keyUsage: 'keyEncipherment' },
  ],
  [
    'no extension at all',
    'CERTIFICATE_NOT_CLIENT',
    { purposes: undefined, keyUsage: undefined, ca: undefined } as never,
  ],
  ['one that has expired', 'CERTIFICATE_EXPIRED', { fromDays: -9, toDays: -1 }],
  ['one of tomorrow', 'CERTIFICATE_NOT_YET_VALID', { fromDays: 1 }],
  ['a signature with SHA-1', 'CERTIFICATE_ALGORITHM', { digest: 'sha1' }],
  ['an unknown critical extension', 'CERTIFICATE_EXTENSION', { unknownCritical: true }],
  ['RSA of 512 bits', 'CERTIFICATE_ALGORITHM', { key: newRsaKey(512) }],
];
for (const [what, code, change] of CLIENTS) {
  t.test(`rejects a client certificate: ${what} (${code})`, async (t) => {
    t.same(clientCodes(client(change)), [code]);
  });
}

t.test(
  'rejects a client certificate of another CA, also one of the same name (CERTIFICATE_OTHER_ISSUER)',
  async (t) => {
    const twin = makeCertificate(GOOD.authority, NOW_MS);
    const middle = makeCertificate({ ...GOOD.authority, subject: 'middle CA' }, NOW_MS, authority);
    for (const issuer of [other, twin, middle]) t.same(clientCodes(client({}, issuer)), ['CERTIFICATE_OTHER_ISSUER']);
    t.same(clientCodes(makeCertificate(GOOD.client, NOW_MS).pem), ['CERTIFICATE_OTHER_ISSUER'], 'self-signed');
  },
);

t.test('rejects what acra-server cannot read, wherever it stands (CERTIFICATE_FILE_INVALID)', async (t) => {
  for (const [what, shape] of Object.entries(UNREADABLE)) {
    t.same(serverCodes(server(shape)), ['CERTIFICATE_FILE_INVALID'], `server: ${what}`);
    t.same(clientCodes(client(shape)), ['CERTIFICATE_FILE_INVALID'], `client: ${what}`);
    const own = makeCertificate({ ...GOOD.authority, ...shape }, NOW_MS).pem;
    t.same(authorityCodes(own), ['CERTIFICATE_FILE_INVALID'], `CA: ${what}`);
  }
  for (const [what, shape] of Object.entries(READABLE)) {
    t.same(serverCodes(server(shape)), [], `server: ${what}`);
    t.same(clientCodes(client(shape)), [], `client: ${what}`);
  }
});

t.test('says what it is that cannot be read', async (t) => {
  const foundIn = (shape: Shape) => file(client(shape)).findings[0]?.found;
  t.match(foundIn(UNREADABLE['a URI with an open bracket'] ?? {}), /URI "http:\/\/\[bad".*brackets/);
  t.match(foundIn(UNREADABLE['an extension twice'] ?? {}), /1\.2\.3\.4.*twice/);
});

t.test('follows a client certificate to a CA that may have issued it (CERTIFICATE_ISSUER)', async (t) => {
  for (const [what, { client, between, anchor, isGood }] of Object.entries(oddChains(NOW_MS))) {
    const bundle = file(authority.pem + anchor.pem).certificates;
    const text = [client, ...between].map(({ pem }) => pem).join('');
    t.same(codes(checkClientCertificate(file(text), bundle, NOW_MS)), isGood ? [] : ['CERTIFICATE_ISSUER'], what);
  }
});

t.test('rejects a server whose CAs, sent along, may not have issued it', async (t) => {
  const through = (shape: Shape) => {
    const middle = makeCertificate({ ...GOOD.authority, subject: 'middle CA', ...shape }, NOW_MS, authority);
    return serverCodes(makeCertificate(GOOD.server, NOW_MS, middle).pem + middle.pem);
  };
  t.same(through({}), []);
  t.same(through({ purposes: ['client'] }), ['CERTIFICATE_ISSUER']);
  t.same(through({ ca: false }), ['CERTIFICATE_ISSUER']);
  t.same(through({ keyUsage: 'digitalSignature' }), ['CERTIFICATE_ISSUER']);
  t.same(through({ fromDays: -9, toDays: -1 }), ['CERTIFICATE_EXPIRED']);
});

const AUTHORITIES: readonly (readonly [string, string, string])[] = [
  ['a server certificate', 'CERTIFICATE_NOT_CA', server()],
  ['one without basic constraints', 'CERTIFICATE_NOT_CA', makeCertificate({ keyUsage: 'keyCertSign' }, NOW_MS).pem],
  [
    'one that may not sign certificates',
    'CERTIFICATE_NOT_CA',
    makeCertificate({ ca: true, keyUsage: 'digitalSignature' }, NOW_MS).pem,
  ],
  ['one for servers', 'CERTIFICATE_NOT_CA', makeCertificate({ ...GOOD.authority, purposes: ['server'] }, NOW_MS).pem],
  [
    'one that has expired',
    'CERTIFICATE_EXPIRED',
    makeCertificate({ ...GOOD.authority, fromDays: -9, toDays: -1 }, NOW_MS).pem,
  ],
];
for (const [what, code, text] of AUTHORITIES) {
  t.test(`rejects as CA ${what} (${code})`, async (t) => {
    t.same(authorityCodes(text), [code]);
  });
}

t.test('takes a self-signed certificate of the database as its own CA, one that a CA issued not', async (t) => {
  t.same(authorityCodes(makeCertificate(GOOD.server, NOW_MS).pem, true), []);
  t.same(authorityCodes(server(), true), ['CERTIFICATE_NOT_CA']);
});

t.test('rejects a chain that is not in order (CERTIFICATE_CHAIN)', async (t) => {
  t.same(serverCodes(server() + other.pem), ['CERTIFICATE_CHAIN']);
  t.ok(serverCodes(authority.pem + server()).includes('CERTIFICATE_CHAIN'));
});

t.test('rejects what holds no PEM certificates, and says what it holds (CERTIFICATE_FILE_INVALID)', async (t) => {
  const good = server();
  const key = newKey().export({ type: 'pkcs8', format: 'pem' }).toString();
  const bytes = Buffer.from(good.replaceAll(/-----.*-----|\n/g, ''), 'base64');
  const files: Record<string, string | Buffer> = {
    'an empty file': '',
    DER: bytes,
    'a private key': key,
    'a certificate with its private key': good + key,
    'a UTF-8 mark': `\u{feff}${good}`,
    'UTF-16': Buffer.from(`\u{feff}${good}`, 'utf16le'),
    'a block that is not closed': good.slice(0, -10),
    'a second block that is not closed': good + good.slice(0, -10),
    'a block that does not start a line': ` ${good}`,
    'lines that end with CR alone': good.replaceAll('\n', '\r'),
    'an END that does not start a line': good.replace('\n-----END', '-----END'),
    'text after END': good.replace(/-----\n$/, '----- x\n'),
    'text after BEGIN': good.replace('-----\n', '----- x\n'),
    'a strange character in the Base64': good.replace('MII', 'MI!I'),
    'padding within the Base64': good.replace('MII', 'MI=I'),
    'headers before the Base64': good.replace('-----\n', '-----\nNote: a\n\n'),
    "OpenSSL's own form": pemOf(bytes, 'TRUSTED CERTIFICATE'),
    'a request': pemOf(bytes, 'CERTIFICATE REQUEST'),
    'damaged Base64': good.replace(/\n.{64}\n/, '\nAAAA\n'),
    'trailing bytes': pemOf(Buffer.concat([bytes, Buffer.of(0)])),
    text: 'hello',
  };
  for (const [what, content] of Object.entries(files)) {
    t.same(serverCodes(content), ['CERTIFICATE_FILE_INVALID'], what);
    t.same(clientCodes(content), ['CERTIFICATE_FILE_INVALID'], what);
    t.same(authorityCodes(content), ['CERTIFICATE_FILE_INVALID'], what);
  }
});

t.test('reads every root that ships with Node, and takes it for a CA', async (t) => {
  t.ok(rootCertificates.length > 100);
  for (const pem of rootCertificates) {
    const found = codes(checkAuthorities(file(pem), PURPOSE.server, NOW_MS, false));
    t.notOk(found.includes('CERTIFICATE_FILE_INVALID') || found.includes('CERTIFICATE_NOT_CA'), pem);
  }
});
