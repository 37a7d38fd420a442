import { generateKeyPairSync } from 'node:crypto';
import t from 'tap';
import { readCertificateFile } from '../../../keys/tls/certificate-file.ts';
import { checkServerKey } from '../../../keys/tls/private-key.ts';
import { GOOD, makeCertificate, newRsaKey, pemOf } from '../support/certificate-maker.ts';
import { withExplicitCurve } from '../support/odd-certificates.ts';

const NOW_MS = Date.UTC(2026, 5, 1);
const server = makeCertificate(GOOD.server, NOW_MS);
const certificate = readCertificateFile('server.pem', Buffer.from(server.pem)).certificates[0];
const codes = (text: string | Buffer, own: typeof certificate | 'none' = certificate) =>
  checkServerKey('server.key', Buffer.from(text), own === 'none' ? undefined : own).map(({ code }) => code);

t.test('accepts every form of a key that acra-server reads', async (t) => {
  const rsa = newRsaKey(2048);
  const ed25519 = generateKeyPairSync('ed25519').privateKey;
  t.same(codes(server.keyPem), []);
  t.same(codes(server.key.export({ type: 'sec1', format: 'pem' }).toString()), [], 'SEC 1');
  t.same(codes(`${pemOf(Buffer.from('06082a8648ce3d030107', 'hex'), 'EC PARAMETERS')}${server.keyPem}`), []);
  t.same(codes(server.pem + server.keyPem), [], 'with its certificate');
  for (const type of ['pkcs1', 'pkcs8'] as const) {
    t.same(codes(rsa.export({ type, format: 'pem' }).toString(), 'none'), [], type);
  }
  t.same(codes(ed25519.export({ type: 'pkcs8', format: 'pem' }).toString(), 'none'), [], 'Ed25519');
});

t.test('rejects the key of another certificate (KEY_CERTIFICATE_MISMATCH)', async (t) => {
  t.same(codes(makeCertificate(GOOD.server, NOW_MS).keyPem), ['KEY_CERTIFICATE_MISMATCH']);
  t.same(codes(newRsaKey(2048).export({ type: 'pkcs8', format: 'pem' }).toString()), ['KEY_CERTIFICATE_MISMATCH']);
});

t.test('rejects a key with a password, old and new form (KEY_FILE_ENCRYPTED)', async (t) => {
  const password = { cipher: 'aes-256-cbc', passphrase: 'secret' };
  t.same(codes(server.key.export({ type: 'pkcs8', format: 'pem', ...password }).toString()), ['KEY_FILE_ENCRYPTED']);
  t.same(codes(server.key.export({ type: 'sec1', format: 'pem', ...password }).toString()), ['KEY_FILE_ENCRYPTED']);
});

t.test('rejects what is not one PEM private key (KEY_FILE_INVALID)', async (t) => {
  const publicKey = pemOf(Buffer.from('3000', 'hex'), 'PUBLIC KEY');
  const files: Record<string, string | Buffer> = {
    'an empty file': '',
    DER: server.key.export({ type: 'pkcs8', format: 'der' }),
    'a certificate': server.pem,
    'a public key': publicKey,
    'two keys': server.keyPem + server.keyPem,
    'a key of OpenSSH': pemOf(Buffer.from('openssh-key-v1\0'), 'OPENSSH PRIVATE KEY'),
    'a UTF-8 mark': `\u{feff}${server.keyPem}`,
    'UTF-16': Buffer.from(server.keyPem, 'utf16le'),
    'a damaged key': server.keyPem.replace(/\n.{20}/, '\nAAAAAAAAAAAAAAAAAAAA'),
    'a key that ends early': server.keyPem.slice(0, -10),
    'text after END': server.keyPem.replace(/-----\n$/, '----- x\n'),
    'text after BEGIN': server.keyPem.replace('-----\n', '----- x\n'),
    'an END that does not start a line': server.keyPem.replace('\n-----END', '-----END'),
    'an END that is indented': server.keyPem.replace('\n-----END', '\n -----END'),
    'lines that end with CR alone': server.keyPem.replaceAll('\n', '\r'),
    'a strange character in the Base64': server.keyPem.replace('-----\nM', '-----\n!M'),
    'a curve that is spelled out': withExplicitCurve(server.key),
    'a large file': server.keyPem + ' '.repeat(70_000),
  };
  for (const [what, content] of Object.entries(files)) t.same(codes(content), ['KEY_FILE_INVALID'], what);
});

t.test('rejects keys that acra-server cannot serve with (KEY_ALGORITHM)', async (t) => {
  const keys = {
    'RSA of 1024 bits': newRsaKey(1024),
    'P-224': generateKeyPairSync('ec', { namedCurve: 'secp224r1' }).privateKey,
    secp256k1: generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey,
    Ed448: generateKeyPairSync('ed448').privateKey,
    X25519: generateKeyPairSync('x25519').privateKey,
    'RSA-PSS': generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey,
  };
  for (const [what, key] of Object.entries(keys)) {
    t.same(codes(key.export({ type: 'pkcs8', format: 'pem' }).toString(), 'none'), ['KEY_ALGORITHM'], what);
  }
});

t.test('never tells anything of the key', async (t) => {
  const damaged = server.keyPem.replace(/\n.{20}/, '\nAAAAAAAAAAAAAAAAAAAA');
  const told = JSON.stringify(checkServerKey('server.key', Buffer.from(damaged), certificate));
  for (const line of damaged.split('\n').filter((text) => text.length > 20 && !text.startsWith('-'))) {
    t.notOk(told.includes(line.slice(0, 20)));
  }
});
