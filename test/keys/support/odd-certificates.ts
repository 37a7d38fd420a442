/**
 * Certificates that OpenSSL reads and Go does not, and chains that end at a CA which may not have issued what it did: for the rules alone,
 * and for the real acra-server.
 */
import type { KeyObject } from 'node:crypto';
import { generateKeyPairSync } from 'node:crypto';
import type { Made, Shape } from './certificate-maker.ts';
import { GOOD, makeCertificate, newKey, pemOf } from './certificate-maker.ts';

const EC_POINT = /034200(04[0-9a-f]{128})$/;

/** P-256 with all its numbers in the place of its name (X9.62). */
const EXPLICIT_P256 =
  '3081f7020101302c06072a8648ce3d0101022100ffffffff00000001000000000000000000000000ffffffffffffffffffffffff' +
  '305b0420ffffffff00000001000000000000000000000000fffffffffffffffffffffffc' +
  '04205ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b' +
  '031500c49d360886e704936a6678e1139d26b7819f7e90' +
  '0441046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5' +
  '022100ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551020101';

const tlv = (tag: number, hexContent: string): string => {
  const size = hexContent.length / 2;
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.of(tag, ...length).toString('hex') + hexContent;
};

/** The public half of a key on P-256 in a form that Go does not read. */
function otherForm(form: 'explicit' | 'compressed'): Shape {
  const { privateKey: key, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const point = EC_POINT.exec(publicKey.export({ type: 'spki', format: 'der' }).toString('hex'))?.[1] ?? '';
  const parity = Number.parseInt(point.slice(-2), 16) % 2;
  const compressed = `0${2 + parity}${point.slice(2, 66)}`;
  const curve = form === 'explicit' ? EXPLICIT_P256 : '06082a8648ce3d030107';
  const bits = tlv(0x03, `00${form === 'compressed' ? compressed : point}`);
  return { key, spki: tlv(0x30, tlv(0x30, `06072a8648ce3d0201${curve}`) + bits) };
}

/** The same private key on P-256, its curve spelled out. */
export function withExplicitCurve(key: KeyObject): string {
  const pkcs8 = key.export({ type: 'pkcs8', format: 'der' }).toString('hex');
  const privateHalf = pkcs8.slice(pkcs8.indexOf('046d'));
  const whole = tlv(0x30, `020100${tlv(0x30, `06072a8648ce3d0201${EXPLICIT_P256}`)}${privateHalf}`);
  return pemOf(Buffer.from(whole, 'hex'), 'PRIVATE KEY');
}

const uri = (text: string): Shape => ({ names: [[0x86, text]] });
const NULL = '0500';

/** Nothing else is wrong with them. */
export const UNREADABLE: Readonly<Record<string, Shape>> = {
  'a URI with an open bracket': uri('http://[bad'),
  'a URI with a bracketed name': uri('http://[name]/'),
  'a URI with a port that is none': uri('http://host:port/'),
  'a URI with a broken escape in its path': uri('http://host/%zz'),
  'a URI with an escape in its host': uri('http://ho%41st/'),
  'a URI with a space in its host': uri('http://a b/'),
  'a URI with a dot at the end of its host': uri('http://host./'),
  'a URI with an empty label': uri('http://a..b/'),
  'a URI without a scheme': uri('://host'),
  'a URI with a line break': uri('http://host/\n'),
  'a URI that is not ASCII': uri('http://b\u00fccher.test/'),
  'a DNS name that is not ASCII': { names: [[0x82, 'b\u00fccher.test']] },
  'a mail address that is not ASCII': { names: [[0x81, 'b\u00fccher@a.test']] },
  'an IP address of three bytes': { names: [[0x87, Buffer.of(1, 2, 3)]] },
  'an IP address with its mask': { names: [[0x87, Buffer.of(1, 2, 3, 4, 255, 255, 255, 0)]] },
  'an extension twice': {
    extra: [
      { oid: '2a0304', value: NULL },
      { oid: '2a0304', value: NULL },
    ],
  },
  'a critical authority information access': { extra: [{ oid: '2b06010505070101', critical: true, value: '3000' }] },
  'a critical subject key identifier': { extra: [{ oid: '551d0e', critical: true, value: '040101' }] },
  'name constraints that are empty': { extra: [{ oid: '551d1e', critical: true, value: '3000' }] },
  'version 4': { version: 4 },
  'a curve that is spelled out': otherForm('explicit'),
  'a compressed point': otherForm('compressed'),
};

/** As strange, and read by Go. */
export const READABLE: Readonly<Record<string, Shape>> = {
  'URIs of every kind': {
    names: [
      'http://a.test:8080/x?y#z',
      'https://[2001:db8::1]:443/',
      'http://[fe80::1%25en0]/',
      'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6',
      'spiffe://trust.domain/workload',
      'mailto:a@b.test',
      'ldap://user:pw@h/%20',
      'relative/path',
      '',
    ].map((text) => [0x86, text]),
  },
  'addresses of both kinds': {
    names: [
      [0x87, Buffer.alloc(4, 1)],
      [0x87, Buffer.alloc(16, 1)],
    ],
  },
  'a directory name, not critical': { names: [[0xa4, Buffer.from('3000', 'hex')]] },
  'an unknown extension, not critical': { extra: [{ oid: '2a0304', value: NULL }] },
};

export interface OddChain {
  readonly client: Made;
  /** Sent along. */
  readonly between: readonly Made[];
  /** What the bundle has beside a sound CA. */
  readonly anchor: Made;
  readonly isGood?: true;
}

const DNS_CONSTRAINT = (kind: 'a0' | 'a1', domain: string) => {
  const name = tlv(0x82, Buffer.from(domain).toString('hex'));
  return { oid: '551d1e', critical: true, value: tlv(0x30, tlv(Number.parseInt(kind, 16), tlv(0x30, name))) };
};

/** Chains of which one link is not as it should be. */
export function oddChains(nowMs: number): Readonly<Record<string, OddChain>> {
  const make = (shape: Shape, issuer?: Made) => makeCertificate({ key: newKey(), ...shape }, nowMs, issuer);
  const below = (anchorShape: Shape, clientShape: Shape = {}): OddChain => {
    const anchor = make({ ...GOOD.authority, subject: 'odd CA', ...anchorShape });
    return { anchor, between: [], client: make({ ...GOOD.client, ...clientShape }, anchor) };
  };
  const through = (middleShape: Shape, anchorShape: Shape = {}, clientShape: Shape = {}): OddChain => {
    const anchor = make({ ...GOOD.authority, subject: 'far CA', ...anchorShape });
    const middle = make({ ...GOOD.authority, subject: 'middle CA', ...middleShape }, anchor);
    return { anchor, between: [middle], client: make({ ...GOOD.client, ...clientShape }, middle) };
  };
  const named = { dnsNames: ['app.evil.test'] };
  return {
    'a CA that has expired': below({ fromDays: -9, toDays: -1 }),
    'a CA of tomorrow': below({ fromDays: 1 }),
    'no CA': below({ ca: false }),
    'a CA that may not sign': below({ keyUsage: 'digitalSignature' }),
    'a CA for servers': below({ purposes: ['server'] }),
    'a CA with an unknown critical extension': below({ unknownCritical: true }),
    'a CA that may not name it': below({ extra: [DNS_CONSTRAINT('a0', 'corp.test')] }, named),
    'a CA that must not name it': below({ extra: [DNS_CONSTRAINT('a1', 'evil.test')] }, named),
    'a CA between that has expired': through({ fromDays: -9, toDays: -1 }),
    'a CA between for servers': through({ purposes: ['server'] }),
    'a CA between that may not sign': through({ keyUsage: 'digitalSignature' }),
    'no CA between': through({ ca: false }),
    'a CA between of version 1': through({ version: 1 }),
    'a CA between signed with SHA-1': through({ digest: 'sha1' }),
    'a CA between with an unknown critical extension': through({ unknownCritical: true }),
    'a CA between below one that allows none': through({}, { pathLength: 0 }),
    'a CA between and a far one that may not name it': through(
      {},
      { extra: [DNS_CONSTRAINT('a0', 'corp.test')] },
      named,
    ),
    'a CA that may name it': { ...below({ extra: [DNS_CONSTRAINT('a0', 'evil.test')] }, named), isGood: true },
    'a CA between below one that allows one': { ...through({}, { pathLength: 1 }), isGood: true },
    'a CA that allows none, and none between': { ...below({ pathLength: 0 }), isGood: true },
  };
}
