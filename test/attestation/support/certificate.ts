/** Certificates written field by field (RFC 5280 section 4.1), with every part open to change. */
import type { KeyObject } from 'node:crypto';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { hex, tlv } from './der.ts';
import { type Curve, type Hash, keyFrom, signDer } from './deterministic-ecdsa.ts';

export interface CertificateSpec {
  readonly name: string;
  /** Defaults to the name of the issuer. */
  readonly issuerName?: string;
  readonly curve?: Curve;
  readonly hash?: Hash;
  /** The key follows from it; random when absent. */
  readonly keyText?: string;
  /** What the signed part says of the signature's hash; defaults to the truth. */
  readonly namedHash?: 'sha384' | 'sha256';
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** DER of each Extension. */
  readonly extensions: readonly Buffer[];
}

export interface Issued {
  readonly name: string;
  readonly privateKey: KeyObject;
  readonly der: Buffer;
}

const ECDSA_WITH = {
  sha384: hex('300a06082a8648ce3d040303'),
  sha256: hex('300a06082a8648ce3d040302'),
} as const;

export function extension(oid: string, critical: boolean, value: Buffer): Buffer {
  return tlv(0x30, tlv(0x06, hex(oid)), critical ? hex('0101ff') : Buffer.alloc(0), tlv(0x04, value));
}

function commonName(name: string): Buffer {
  return tlv(0x30, tlv(0x31, tlv(0x30, hex('0603550403'), tlv(0x0c, Buffer.from(name)))));
}

/** UTCTime, whole seconds. */
function time(timeMs: number): Buffer {
  const digits = new Date(timeMs)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(/[-:T]/g, '');
  return tlv(0x17, Buffer.from(digits.slice(2)));
}

const randomKey = (curve: Curve) => generateKeyPairSync('ec', { namedCurve: curve }).privateKey;

/** Self-signed when there is no issuer. */
export function issue(spec: CertificateSpec, issuer?: Issued): Issued {
  const { curve = 'P-384', keyText } = spec;
  const privateKey = keyText === undefined ? randomKey(curve) : keyFrom(curve, keyText);
  const hash = spec.hash ?? 'sha384';
  const tbs = tlv(
    0x30,
    hex('a003020102'),
    hex('020101'),
    ECDSA_WITH[spec.namedHash ?? hash],
    commonName(spec.issuerName ?? issuer?.name ?? spec.name),
    tlv(0x30, time(spec.notBeforeMs), time(spec.notAfterMs)),
    commonName(spec.name),
    createPublicKey(privateKey).export({ type: 'spki', format: 'der' }),
    tlv(0xa3, tlv(0x30, ...spec.extensions)),
  );
  const signature = signDer(hash, tbs, issuer?.privateKey ?? privateKey);
  const der = tlv(0x30, tbs, ECDSA_WITH[hash], tlv(0x03, hex('00'), signature));
  return { name: spec.name, privateKey, der };
}

export function pemOf({ der }: Pick<Issued, 'der'>): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

/** BasicConstraints of a CA. */
export function ca(pathLength?: number, critical = true): Buffer {
  const length = pathLength === undefined ? Buffer.alloc(0) : tlv(0x02, Buffer.from([pathLength]));
  return extension('551d13', critical, tlv(0x30, hex('0101ff'), length));
}

export const notCa: Buffer = extension('551d13', true, hex('3000'));
/** keyCertSign and cRLSign. */
export const caUsage: Buffer = extension('551d0f', true, hex('03020106'));
/** digitalSignature. */
export const leafUsage: Buffer = extension('551d0f', true, hex('03020780'));
