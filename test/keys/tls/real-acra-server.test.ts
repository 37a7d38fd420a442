/** What is accepted before a ceremony is what the real acra-server accepts, and what is refused it refuses. */
import { generateKeyPairSync } from 'node:crypto';
import t from 'tap';
import { PURPOSE } from '../../../acra/certificate/chain.ts';
import { readCertificateFile } from '../../../keys/tls/certificate-file.ts';
import { checkAuthorities, checkClientCertificate } from '../../../keys/tls/certificate-rules.ts';
import { checkServerKey } from '../../../keys/tls/private-key.ts';
import { withoutRealAcraServer } from '../../acra/support/real-acra-server.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import type { Made, Shape } from '../support/certificate-maker.ts';
import { GOOD, makeCertificate, newRsaKey } from '../support/certificate-maker.ts';
import { oddChains, READABLE, UNREADABLE, withExplicitCurve } from '../support/odd-certificates.ts';
import { startRealAcra } from '../support/real-handshake.ts';

const skip = withoutRealAcraServer;
const nowMs = Date.now();
const authority = makeCertificate(GOOD.authority, nowMs);
const middle = makeCertificate({ ...GOOD.authority, subject: 'middle CA' }, nowMs, authority);
const twin = makeCertificate(GOOD.authority, nowMs);
const server = makeCertificate(GOOD.server, nowMs, authority);
const issue = (shape: Shape, issuer = authority): Made => makeCertificate(shape, nowMs, issuer);
const like = (change: Shape): Made => issue({ ...GOOD.client, ...change });
const withChain = (made: Made, ...chain: readonly Made[]) => ({
  ...made,
  pem: [made, ...chain].map(({ pem }) => pem).join(''),
});

const CLIENTS: Readonly<Record<string, Pick<Made, 'pem' | 'keyPem'>>> = {
  'as it should be': like({}),
  'clientAuth and no key usage': issue({ purposes: ['client'] }),
  'clientAuth and another key usage': issue({ purposes: ['client'], keyUsage: 'keyEncipherment' }),
  'digitalSignature and no extended key usage': issue({ keyUsage: 'digitalSignature' }),
  'any purpose with digitalSignature': like({ purposes: ['any'] }),
  'any purpose without digitalSignature': issue({ purposes: ['any'] }),
  'any purpose with another key usage': like({ purposes: ['any'], keyUsage: 'keyEncipherment' }),
  'servers and clients': like({ purposes: ['server', 'client'] }),
  'servers only': like({ purposes: ['server'] }),
  'mail only': like({ purposes: ['email'] }),
  'no extension': issue({}),
  'another key usage only': issue({ keyUsage: 'keyEncipherment' }),
  'version 1': like({ version: 1 }),
  'a CA': like({ ca: true }),
  expired: like({ fromDays: -9, toDays: -1 }),
  'not yet valid': like({ fromDays: 1 }),
  'signed with SHA-1': like({ digest: 'sha1' }),
  'an unknown critical extension': like({ unknownCritical: true }),
  'a negative serial number': like({ serial: 'ff' }),
  'serial number zero': like({ serial: '00' }),
  'RSA of 512 bits': like({ key: newRsaKey(512) }),
  'RSA of 1024 bits': like({ key: newRsaKey(1024) }),
  'RSA of 2048 bits': like({ key: newRsaKey(2048) }),
  'P-384': like({ key: generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey }),
  'P-224': like({ key: generateKeyPairSync('ec', { namedCurve: 'secp224r1' }).privateKey }),
  secp256k1: like({ key: generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey }),
  Ed25519: like({ key: generateKeyPairSync('ed25519').privateKey }),
  Ed448: like({ key: generateKeyPairSync('ed448').privateKey }),
  'of another CA of the same name': issue(GOOD.client, twin),
  'of a CA below, sent along': withChain(issue(GOOD.client, middle), middle),
  'of a CA below, not sent along': issue(GOOD.client, middle),
  'self-signed': makeCertificate(GOOD.client, nowMs),
  ...Object.fromEntries(Object.entries({ ...UNREADABLE, ...READABLE }).map(([what, shape]) => [what, like(shape)])),
};

t.test('judges client certificates as the real acra-server does', { skip }, async (t) => {
  const acra = await startRealAcra({ folder: temporaryFolder(t), clientCaPem: authority.pem, server });
  const authorities = readCertificateFile('ca.pem', Buffer.from(authority.pem)).certificates;
  for (const [what, client] of Object.entries(CLIENTS)) {
    const findings = checkClientCertificate(
      readCertificateFile('client.pem', Buffer.from(client.pem)),
      authorities,
      nowMs,
    );
    t.equal(findings.length === 0, await acra?.letsIn(client), `${what}: ${findings.map(({ code }) => code).join()}`);
  }
  await acra?.stop();
});

t.test('follows client certificates to a CA as the real acra-server does', { skip }, async (t) => {
  const chains = Object.entries(oddChains(nowMs));
  for (const [what, { client, between, anchor, isGood = false }] of chains) {
    const clientCaPem = authority.pem + anchor.pem;
    const acra = await startRealAcra({ folder: temporaryFolder(t), clientCaPem, server });
    const { pem, keyPem } = withChain(client, ...between);
    const authorities = readCertificateFile('ca.pem', Buffer.from(clientCaPem)).certificates;
    const findings = checkClientCertificate(readCertificateFile('c.pem', Buffer.from(pem)), authorities, nowMs);
    t.equal(findings.length === 0, isGood, what);
    t.equal(await acra?.letsIn({ pem, keyPem }), isGood, `${what}, for acra-server`);
    await acra?.stop();
  }
});

const AUTHORITIES: Readonly<Record<string, Shape>> = {
  'as it should be': GOOD.authority,
  'no key usage': { ca: true },
  'version 1': { version: 1 },
  'no basic constraints': { keyUsage: 'keyCertSign' },
  'not a CA': { ca: false },
  'may not sign': { ca: true, keyUsage: 'digitalSignature' },
  'for servers': { ...GOOD.authority, purposes: ['server'] },
  'for clients': { ...GOOD.authority, purposes: ['client'] },
  'for any purpose': { ...GOOD.authority, purposes: ['any'] },
  expired: { ...GOOD.authority, fromDays: -9, toDays: -1 },
  'signed with SHA-1': { ...GOOD.authority, digest: 'sha1' },
};

t.test('judges client CAs as the real acra-server does', { skip }, async (t) => {
  for (const [what, shape] of Object.entries(AUTHORITIES)) {
    const own = makeCertificate({ subject: 'CA', ...shape }, nowMs);
    const acra = await startRealAcra({ folder: temporaryFolder(t), clientCaPem: own.pem, server });
    const client = issue(GOOD.client, own);
    const findings = checkAuthorities(
      readCertificateFile('ca.pem', Buffer.from(own.pem)),
      PURPOSE.client,
      nowMs,
      false,
    );
    t.equal(findings.length === 0, await acra?.letsIn(client), `${what}: ${findings.map(({ code }) => code).join()}`);
    await acra?.stop();
  }
});

const KEYS = {
  'P-256': generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  'P-384': generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey,
  'P-521': generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey,
  'P-224': generateKeyPairSync('ec', { namedCurve: 'secp224r1' }).privateKey,
  secp256k1: generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey,
  'RSA of 2048 bits': newRsaKey(2048),
  Ed25519: generateKeyPairSync('ed25519').privateKey,
  Ed448: generateKeyPairSync('ed448').privateKey,
};

t.test('judges server keys as the real acra-server does', { skip }, async (t) => {
  for (const [what, key] of Object.entries(KEYS)) {
    const made = issue({ ...GOOD.server, key });
    const certificate = readCertificateFile('server.pem', Buffer.from(made.pem)).certificates[0];
    const findings = checkServerKey('server.key', Buffer.from(made.keyPem), certificate);
    const acra = await startRealAcra({ folder: temporaryFolder(t), clientCaPem: authority.pem, server: made });
    const works = acra !== undefined && (await acra.letsIn(like({})));
    await acra?.stop();
    t.equal(findings.length === 0, works, what);
  }
});

t.test('refuses the forms of a key with which the real acra-server does not start', { skip }, async (t) => {
  const password = { cipher: 'aes-256-cbc', passphrase: 'secret' };
  const forms: Readonly<Record<string, string>> = {
    'SEC 1': server.key.export({ type: 'sec1', format: 'pem' }).toString(),
    'with its certificate': server.pem + server.keyPem,
    encrypted: server.key.export({ type: 'pkcs8', format: 'pem', ...password }).toString(),
    'encrypted, the old form': server.key.export({ type: 'sec1', format: 'pem', ...password }).toString(),
    'of another certificate': middle.keyPem,
    'a certificate': server.pem,
    empty: '',
    'a UTF-8 mark': `\u{feff}${server.keyPem}`,
    'text after END': server.keyPem.replace(/-----\n$/, '----- x\n'),
    'an END that does not start a line': server.keyPem.replace('\n-----END', '-----END'),
    'a strange character in the Base64': server.keyPem.replace('-----\nM', '-----\n!M'),
    'lines that end with CR alone': server.keyPem.replaceAll('\n', '\r'),
    'a curve that is spelled out': withExplicitCurve(server.key),
  };
  const certificate = readCertificateFile('server.pem', Buffer.from(server.pem)).certificates[0];
  for (const [what, keyPem] of Object.entries(forms)) {
    const findings = checkServerKey('server.key', Buffer.from(keyPem), certificate);
    const acra = await startRealAcra({
      folder: temporaryFolder(t),
      clientCaPem: authority.pem,
      server: { ...server, keyPem },
    });
    t.equal(findings.length === 0, acra !== undefined, what);
    await acra?.stop();
  }
});
