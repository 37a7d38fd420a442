/**
 * Certificates that databases show, in the shapes that people make with OpenSSL, and what a session through acra-server 0.96.0 makes
 * of each. Every verdict was seen with the real one (docs/specs/acra-server.md, 12); the test sees it again where there is one.
 */
import type { SecureContextOptions } from 'node:tls';

type Verdict = 'accepted' | 'untrusted' | 'handshake-failed';

export interface Shape {
  readonly name: string;
  readonly verdict: Verdict;
  /** `database.serverName`. */
  readonly serverName?: string;
  /** Lines of the leaf's extensions; default: subjectAltName=DNS:db.internal. */
  readonly extensions?: readonly string[];
  /** Of the CA; default: an ordinary one. */
  readonly caExtensions?: readonly string[];
  /** Options of `openssl req` for the leaf; default: sha256, 90 days. */
  readonly leafOptions?: readonly string[];
  /** `-newkey` of the leaf; default: P-256. */
  readonly key?: readonly string[];
  /** The leaf is its own CA. */
  readonly selfSigned?: boolean;
  /** A CA between; `sent` says whether the database shows it. */
  readonly intermediate?: {
    readonly extensions: readonly string[];
    readonly sent: boolean;
    readonly options?: readonly string[];
  };
  readonly caOptions?: readonly string[];
  /** What stands in `database.ca`; default: the CA, or what is its own. */
  readonly trusts?: 'between' | 'leaf';
  /** When its 90 days began. */
  readonly daysAgo?: number;
  /** Of the database's TLS. */
  readonly server?: Pick<SecureContextOptions, 'minVersion' | 'maxVersion' | 'ciphers' | 'ecdhCurve'>;
}

export const SERVER_NAME = 'db.internal';
const DB = `subjectAltName=DNS:${SERVER_NAME}`;
export const CA_EXTENSIONS = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign'];
const CN_ONLY = ['basicConstraints=CA:FALSE'];

export const SHAPES: readonly Shape[] = [
  { name: 'a subject alternative name', verdict: 'accepted' },
  { name: 'its name only in the CN', verdict: 'untrusted', extensions: CN_ONLY },
  {
    name: 'its name only in the CN, signed by itself',
    verdict: 'untrusted',
    selfSigned: true,
    extensions: ['basicConstraints=critical,CA:TRUE'],
  },
  {
    name: 'a subject alternative name, signed by itself',
    verdict: 'accepted',
    selfSigned: true,
    extensions: [DB, 'basicConstraints=critical,CA:TRUE'],
  },
  {
    name: 'a subject alternative name, signed by itself, no CA',
    verdict: 'accepted',
    selfSigned: true,
    extensions: [DB, 'basicConstraints=critical,CA:FALSE'],
  },
  {
    name: 'a subject alternative name, signed by itself, without basic constraints',
    verdict: 'accepted',
    selfSigned: true,
    extensions: [DB],
  },
  {
    name: 'its name in the CN and another as subject alternative name',
    verdict: 'untrusted',
    extensions: ['subjectAltName=DNS:other.internal'],
  },
  {
    name: 'its name in the CN and an address as subject alternative name',
    verdict: 'untrusted',
    extensions: ['subjectAltName=IP:127.0.0.1'],
  },
  {
    name: 'its name in the CN and a mail address as subject alternative name',
    verdict: 'untrusted',
    extensions: ['subjectAltName=email:a@db.internal'],
  },
  {
    name: 'several names',
    verdict: 'accepted',
    extensions: ['subjectAltName=DNS:a.internal,IP:10.0.0.1,DNS:db.internal'],
  },
  {
    name: 'the address that is asked for',
    verdict: 'accepted',
    serverName: '127.0.0.1',
    extensions: ['subjectAltName=IP:127.0.0.1'],
  },
  {
    name: 'the IPv6 address that is asked for',
    verdict: 'accepted',
    serverName: '::1',
    extensions: ['subjectAltName=IP:::1'],
  },
  {
    name: 'another address',
    verdict: 'untrusted',
    serverName: '127.0.0.1',
    extensions: ['subjectAltName=IP:127.0.0.2'],
  },
  {
    name: 'the address as a DNS name',
    verdict: 'untrusted',
    serverName: '127.0.0.1',
    extensions: ['subjectAltName=DNS:127.0.0.1'],
  },
  { name: 'the address only in the CN', verdict: 'untrusted', serverName: '127.0.0.1', extensions: CN_ONLY },
  { name: 'another case', verdict: 'accepted', extensions: ['subjectAltName=DNS:DB.Internal'] },
  { name: 'another case asked for', verdict: 'accepted', serverName: 'DB.Internal' },
  { name: 'a dot at its end', verdict: 'untrusted', extensions: ['subjectAltName=DNS:db.internal.'] },
  {
    name: 'an underscore',
    verdict: 'accepted',
    serverName: 'db_1.internal',
    extensions: ['subjectAltName=DNS:db_1.internal'],
  },
  { name: 'a wildcard', verdict: 'accepted', extensions: ['subjectAltName=DNS:*.internal'] },
  {
    name: 'a wildcard for two labels',
    verdict: 'untrusted',
    serverName: 'a.db.internal',
    extensions: ['subjectAltName=DNS:*.internal'],
  },
  {
    name: 'a wildcard for none',
    verdict: 'untrusted',
    serverName: 'internal',
    extensions: ['subjectAltName=DNS:*.internal'],
  },
  {
    name: 'a wildcard for everything',
    verdict: 'untrusted',
    serverName: 'localhost',
    extensions: ['subjectAltName=DNS:*'],
  },
  { name: 'a wildcard for a part of a label', verdict: 'untrusted', extensions: ['subjectAltName=DNS:d*.internal'] },
  {
    name: 'a wildcard in the second place',
    verdict: 'untrusted',
    serverName: 'a.db.internal',
    extensions: ['subjectAltName=DNS:a.*.internal'],
  },
  {
    name: 'a name that is not ASCII beside',
    verdict: 'untrusted',
    extensions: ['subjectAltName=DNS:db.internal,DNS:b\u00fccher.internal'],
  },
  {
    name: 'a malformed URI beside',
    verdict: 'untrusted',
    extensions: ['subjectAltName=DNS:db.internal,URI:http://[bad'],
  },
  {
    name: 'a URI beside',
    verdict: 'accepted',
    extensions: ['subjectAltName=DNS:db.internal,URI:https://[::1]:5432/x'],
  },
  {
    name: 'a DNS name that is none, beside',
    verdict: 'accepted',
    extensions: ['subjectAltName=DNS:db.internal,DNS:a b'],
  },
  {
    name: 'a critical subject key identifier',
    verdict: 'untrusted',
    extensions: [DB, '2.5.29.14=critical,DER:040101'],
  },
  {
    name: 'a curve that is spelled out',
    verdict: 'untrusted',
    key: ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-pkeyopt', 'ec_param_enc:explicit'],
  },
  {
    name: 'a key usage of signing certificates and lists alone, signed by itself',
    verdict: 'accepted',
    selfSigned: true,
    extensions: [DB, 'keyUsage=critical,keyCertSign,cRLSign'],
  },
  {
    name: 'a key usage of non-repudiation alone, signed by itself',
    verdict: 'accepted',
    selfSigned: true,
    extensions: [DB, 'keyUsage=critical,nonRepudiation'],
  },
  {
    name: 'a purpose of clients, signed by itself',
    verdict: 'untrusted',
    selfSigned: true,
    extensions: [DB, 'extendedKeyUsage=clientAuth'],
  },
  {
    name: 'an address mapped into IPv6',
    verdict: 'accepted',
    serverName: '::ffff:127.0.0.1',
    extensions: ['subjectAltName=IP:127.0.0.1'],
  },
  { name: 'a time that is over', verdict: 'untrusted', daysAgo: 120 },
  { name: 'a time that has not come', verdict: 'untrusted', daysAgo: -2 },
  { name: 'a purpose of clients', verdict: 'untrusted', extensions: [DB, 'extendedKeyUsage=clientAuth'] },
  { name: 'a purpose of servers', verdict: 'accepted', extensions: [DB, 'extendedKeyUsage=serverAuth'] },
  {
    name: 'any purpose',
    verdict: 'accepted',
    extensions: [DB, 'extendedKeyUsage=anyExtendedKeyUsage'],
  },
  {
    name: 'a key usage of encipherment alone',
    verdict: 'accepted',
    extensions: [DB, 'keyUsage=critical,keyEncipherment'],
  },
  { name: 'a key usage of agreement alone', verdict: 'accepted', extensions: [DB, 'keyUsage=critical,keyAgreement'] },
  {
    name: 'a key usage of signing certificates alone',
    verdict: 'accepted',
    extensions: [DB, 'keyUsage=critical,keyCertSign'],
  },
  { name: 'an unknown critical extension', verdict: 'untrusted', extensions: [DB, '1.2.3.4=critical,DER:0500'] },
  {
    name: 'a CA that may name it',
    verdict: 'accepted',
    caExtensions: [...CA_EXTENSIONS, 'nameConstraints=critical,permitted;DNS:internal'],
  },
  {
    name: 'a CA that may not name it',
    verdict: 'untrusted',
    caExtensions: [...CA_EXTENSIONS, 'nameConstraints=critical,permitted;DNS:example'],
  },
  {
    name: 'a CA that must not name it',
    verdict: 'untrusted',
    caExtensions: [...CA_EXTENSIONS, 'nameConstraints=critical,excluded;DNS:internal'],
  },
  { name: 'a CA that is none', verdict: 'untrusted', caExtensions: ['basicConstraints=critical,CA:FALSE'] },
  { name: 'a CA without basic constraints', verdict: 'untrusted', caExtensions: ['subjectKeyIdentifier=hash'] },
  {
    name: 'a CA that may not sign certificates',
    verdict: 'untrusted',
    caExtensions: ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,digitalSignature'],
  },
  {
    name: 'a CA for clients only',
    verdict: 'untrusted',
    caExtensions: [...CA_EXTENSIONS, 'extendedKeyUsage=clientAuth'],
  },
  {
    name: 'an intermediate that it shows',
    verdict: 'accepted',
    intermediate: { extensions: CA_EXTENSIONS, sent: true },
  },
  {
    name: 'an intermediate that it does not show',
    verdict: 'untrusted',
    intermediate: { extensions: CA_EXTENSIONS, sent: false },
  },
  {
    name: 'an intermediate for clients',
    verdict: 'untrusted',
    intermediate: { extensions: [...CA_EXTENSIONS, 'extendedKeyUsage=clientAuth'], sent: true },
  },
  {
    name: 'an intermediate with a malformed name',
    verdict: 'untrusted',
    intermediate: { extensions: [...CA_EXTENSIONS, 'subjectAltName=URI:http://[bad'], sent: true },
  },
  {
    name: 'an intermediate that is no CA',
    verdict: 'untrusted',
    intermediate: { extensions: ['basicConstraints=CA:FALSE'], sent: true },
  },
  {
    name: 'an intermediate below a CA that allows none',
    verdict: 'untrusted',
    caExtensions: ['basicConstraints=critical,CA:TRUE,pathlen:0', 'keyUsage=critical,keyCertSign'],
    intermediate: { extensions: CA_EXTENSIONS, sent: true },
  },
  {
    name: 'an intermediate that is trusted itself, its issuer unknown',
    verdict: 'accepted',
    intermediate: { extensions: CA_EXTENSIONS, sent: false },
    trusts: 'between',
  },
  { name: 'a leaf that is trusted itself, its issuer unknown', verdict: 'accepted', trusts: 'leaf' },
  { name: 'a leaf with SHA-1 that is trusted itself', verdict: 'accepted', trusts: 'leaf', leafOptions: ['-sha1'] },
  { name: 'a CA whose own signature is with SHA-1', verdict: 'accepted', caOptions: ['-sha1'] },
  {
    name: 'an intermediate whose signature is with SHA-1',
    verdict: 'untrusted',
    intermediate: { extensions: CA_EXTENSIONS, sent: true, options: ['-sha1'] },
  },
  { name: 'a signature with SHA-1', verdict: 'untrusted', leafOptions: ['-sha1'] },
  { name: 'a signature with SHA-512', verdict: 'accepted', leafOptions: ['-sha512'] },
];
