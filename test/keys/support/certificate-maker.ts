/**
 * Makes certificates of every shape, also those that no library would make: DER by hand (X.690, RFC 5280 4.1), signed by
 * Node. Times are days from the clock of the test.
 */
import type { KeyObject } from 'node:crypto';
import { createPublicKey, generateKeyPairSync, sign, X509Certificate } from 'node:crypto';

const DAY_MS = 86_400_000;

const der = (tag: number, ...parts: readonly Buffer[]): Buffer => {
  const content = Buffer.concat(parts);
  const size = content.length;
  const long = [(size >> 8) & 0xff, size & 0xff];
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, ...long];
  return Buffer.concat([Buffer.of(tag, ...length), content]);
};
const hex = (digits: string) => Buffer.from(digits, 'hex');
const sequence = (...parts: readonly Buffer[]) => der(0x30, ...parts);
const oid = (digits: string) => der(0x06, hex(digits));
const integer = (digits: string) => der(0x02, hex(digits));

const PURPOSES = { server: '2b06010505070301', client: '2b06010505070302', any: '551d2500', email: '2b06010505070304' };
const USAGES = {
  digitalSignature: [7, 0x80],
  keyEncipherment: [5, 0x20],
  keyCertSign: [1, 0x06],
  nonRepudiation: [6, 0x40],
} as const;
/** AlgorithmIdentifiers of RFC 4055, 5758 and 8410. */
const SIGNATURES = {
  rsa: {
    sha1: '300d06092a864886f70d0101050500',
    sha256: '300d06092a864886f70d01010b0500',
    md5: '300d06092a864886f70d0101040500',
  },
  ec: { sha1: '300906072a8648ce3d0401', sha256: '300a06082a8648ce3d040302', md5: '' },
  ed25519: { sha1: '', sha256: '300506032b6570', md5: '' },
} as const;

export interface Shape {
  readonly subject?: string;
  readonly version?: 1 | 2 | 3 | 4;
  readonly serial?: string;
  /** Undefined: no basic constraints. */
  readonly ca?: boolean;
  readonly pathLength?: number;
  readonly keyUsage?: keyof typeof USAGES;
  readonly purposes?: readonly (keyof typeof PURPOSES)[];
  readonly dnsNames?: readonly string[];
  /** Further alternative names: context tag in hex, contents. */
  readonly names?: readonly (readonly [tag: number, content: string | Buffer])[];
  /** Further extensions: identifier and value in hex. */
  readonly extra?: readonly { readonly oid: string; readonly critical?: boolean; readonly value: string }[];
  /** SubjectPublicKeyInfo in hex, in the place of the key's own. */
  readonly spki?: string;
  /** An extension that nobody knows, marked critical. */
  readonly unknownCritical?: boolean;
  readonly digest?: 'sha1' | 'sha256' | 'md5';
  readonly fromDays?: number;
  readonly toDays?: number;
  readonly key?: KeyObject;
}

export interface Issuer {
  readonly pem: string;
  readonly key: KeyObject;
  readonly subject: string;
}

export type Made = Issuer & { readonly keyPem: string; readonly certificate: X509Certificate };

export const newKey = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
/** Signs without a digest of its own choice. */
export const newEd25519Key = (): KeyObject => generateKeyPairSync('ed25519').privateKey;
export const newRsaKey = (bits: number): KeyObject => generateKeyPairSync('rsa', { modulusLength: bits }).privateKey;

export const pemOf = (bytes: Buffer, label = 'CERTIFICATE'): string =>
  `-----BEGIN ${label}-----\n${(bytes.toString('base64').match(/.{1,64}/g) ?? []).join('\n')}\n-----END ${label}-----\n`;

const name = (common: string) =>
  common === '' ? sequence() : sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(common)))));

function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '');
  return der(0x18, Buffer.from(digits));
}

function extension(identifier: string, critical: boolean, value: Buffer): Buffer {
  return sequence(oid(identifier), ...(critical ? [der(0x01, Buffer.of(0xff))] : []), der(0x04, value));
}

const alternativeName = (tag: number, content: string | Buffer) => der(tag, Buffer.from(content));
const TRUE = der(0x01, Buffer.of(0xff));

function extensionsOf({
  ca,
  pathLength,
  keyUsage,
  purposes,
  dnsNames,
  names = [],
  extra = [],
  ...more
}: Shape): Buffer[] {
  const length = pathLength === undefined ? [] : [integer(pathLength.toString(16).padStart(2, '0'))];
  const allNames = [
    ...(dnsNames ?? []).map((dns) => alternativeName(0x82, dns)),
    ...names.map((name) => alternativeName(...name)),
  ];
  return [
    ca === undefined ? [] : extension('551d13', true, sequence(...(ca ? [TRUE] : []), ...length)),
    keyUsage === undefined ? [] : extension('551d0f', true, der(0x03, Buffer.from(USAGES[keyUsage]))),
    purposes === undefined
      ? []
      : extension('551d25', false, sequence(...purposes.map((purpose) => oid(PURPOSES[purpose])))),
    allNames.length === 0 ? [] : extension('551d11', false, sequence(...allNames)),
    ...extra.map((each) => extension(each.oid, each.critical === true, hex(each.value))),
    more.unknownCritical ? extension('2b0601040182376303', true, sequence()) : [],
  ].flat();
}

/** @param issuer undefined: signed with its own key */
export function makeCertificate(shape: Shape, nowMs: number, issuer?: Issuer): Made {
  const { subject = 'somebody', version = 3, serial = '01', digest = 'sha256', fromDays = -1, toDays = 90 } = shape;
  const key = shape.key ?? newKey();
  const issuerKey = issuer?.key ?? key;
  const kind =
    issuerKey.asymmetricKeyType === 'ed25519' ? 'ed25519' : issuerKey.asymmetricKeyType === 'rsa' ? 'rsa' : 'ec';
  const algorithm = hex(SIGNATURES[kind][digest]);
  const spki = hex(shape.spki ?? publicKeyHex(key));
  const extensions = version >= 3 ? extensionsOf(shape) : [];
  const body = sequence(
    ...(version > 1 ? [der(0xa0, integer(`0${version - 1}`))] : []),
    integer(serial),
    algorithm,
    name(issuer?.subject ?? subject),
    sequence(time(nowMs + fromDays * DAY_MS), time(nowMs + toDays * DAY_MS)),
    name(subject),
    spki,
    ...(extensions.length === 0 ? [] : [der(0xa3, sequence(...extensions))]),
  );
  const signature = sign(kind === 'ed25519' ? null : digest, body, issuerKey);
  const pem = pemOf(sequence(body, algorithm, der(0x03, Buffer.of(0), signature)));
  const certificate = new X509Certificate(pem);
  return { pem, key, subject, certificate, keyPem: key.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

function publicKeyHex(key: KeyObject): string {
  return createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('hex');
}

/** Shapes that are accepted; tests change one thing of each. */
export const GOOD = {
  authority: { subject: 'client CA', ca: true, keyUsage: 'keyCertSign' },
  server: { subject: 'server', dnsNames: ['records.test'], purposes: ['server'], keyUsage: 'digitalSignature' },
  client: { subject: 'application', purposes: ['client'], keyUsage: 'digitalSignature', ca: false },
} as const satisfies Record<string, Shape>;
