/**
 * The certificates between the root and an attestation document, shaped as observed on Nitro hardware
 * (nitro-formats 3.6): region, zone, instance, and a leaf that signs documents for three hours.
 */
import type { KeyObject } from 'node:crypto';
import { generateKeyPairSync } from 'node:crypto';
import type { DistinguishedName } from '../pki/certificate.ts';
import { createCertificate } from '../pki/certificate.ts';
import type { KeyPair } from '../pki/key-pair.ts';
import type { NsmRoot } from './root.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const LEAF_LIFETIME_MS = 3 * HOUR_MS;
/** A leaf this close to its end is not used any more, so that its documents can be verified a while. */
const LEAF_RESERVE_MS = HOUR_MS / 2;

/** From the root downwards. */
const INTERMEDIATES = [
  { name: 'us-east-1.emulated', pathLength: 2, lifetimeMs: 20 * DAY_MS },
  { name: 'zonal.us-east-1.emulated', pathLength: 1, lifetimeMs: 6 * DAY_MS },
  { name: 'instance.us-east-1.emulated', pathLength: 0, lifetimeMs: DAY_MS },
] as const;

export interface SigningChain {
  readonly leafKey: KeyObject;
  /** DER of the leaf. */
  readonly certificate: Buffer;
  /** DER, root first, as attestation documents carry it. */
  readonly cabundle: readonly Buffer[];
  readonly issuedAtMs: number;
}

function subject(commonName: string): DistinguishedName {
  return [
    { type: 'C', value: 'US' },
    { type: 'O', value: 'Emulated' },
    { type: 'CN', value: commonName },
  ];
}

async function issue(
  issuer: KeyPair,
  name: string,
  nowMs: number,
  lifetimeMs: number,
  pathLength?: number,
): Promise<KeyPair> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const certificateDer = await createCertificate({
    subject: subject(name),
    subjectKey: privateKey,
    issuer,
    issuerKey: issuer.privateKey,
    digest: 'sha384',
    notBefore: new Date(nowMs),
    notAfter: new Date(nowMs + lifetimeMs),
    ...(pathLength !== undefined && { authority: { pathLength } }),
  });
  return { certificateDer, privateKey };
}

export async function issueSigningChain(root: NsmRoot, moduleId: string, nowMs: number): Promise<SigningChain> {
  const authorities: KeyPair[] = [root];
  let issuer: KeyPair = root;
  for (const { name, pathLength, lifetimeMs } of INTERMEDIATES) {
    issuer = await issue(issuer, name, nowMs, lifetimeMs, pathLength);
    authorities.push(issuer);
  }
  const leaf = await issue(issuer, `${moduleId}.us-east-1.emulated`, nowMs, LEAF_LIFETIME_MS);
  return {
    leafKey: leaf.privateKey,
    certificate: leaf.certificateDer,
    cabundle: authorities.map(({ certificateDer }) => certificateDer),
    issuedAtMs: nowMs,
  };
}

/** Whether a document signed now can still be verified for half an hour. */
export function isUsable(chain: SigningChain, nowMs: number): boolean {
  return nowMs >= chain.issuedAtMs && nowMs < chain.issuedAtMs + LEAF_LIFETIME_MS - LEAF_RESERVE_MS;
}
