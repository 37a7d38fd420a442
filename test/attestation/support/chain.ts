/** Certificate chains in the shape that AWS uses. Times are fixed, so that validity needs no clock. */
import type { CertificateSpec, Issued } from './certificate.ts';
import { ca, caUsage, issue, leafUsage, notCa } from './certificate.ts';

export const NOW_MS: number = Date.UTC(2026, 5, 1, 12);
const HOUR_MS = 3_600_000;
export const VALIDITY = { notBeforeMs: NOW_MS - HOUR_MS, notAfterMs: NOW_MS + HOUR_MS } as const;

const LEVELS = ['root', 'region', 'zone', 'instance', 'leaf'] as const;
export type Level = (typeof LEVELS)[number];
export type Chain = Readonly<Record<Level, Issued>>;

const EXTENSIONS: Readonly<Record<Level, readonly Buffer[]>> = {
  root: [ca(), caUsage],
  region: [ca(2), caUsage],
  zone: [ca(1), caUsage],
  instance: [ca(0), caUsage],
  leaf: [notCa, leafUsage],
};

function specOf(level: Level, keyText: string | undefined): CertificateSpec {
  const key = keyText === undefined ? {} : { keyText: `${keyText} ${level}` };
  return { name: level, ...VALIDITY, extensions: EXTENSIONS[level], ...key };
}

export type ChainChanges = Partial<Record<Level, Partial<CertificateSpec>>>;

/**
 * Changes apply to the certificate of that level.
 * @param keyText the chain is the same each time for the same text; random keys when absent
 */
export function makeChain(changes: ChainChanges = {}, keyText?: string): Chain {
  const chain: Partial<Record<Level, Issued>> = {};
  let issuer: Issued | undefined;
  for (const level of LEVELS) {
    issuer = issue({ ...specOf(level, keyText), ...changes[level] }, issuer);
    chain[level] = issuer;
  }
  return chain as Chain;
}

/** Root first, as in a document. */
export function cabundleOf(chain: Chain): readonly Buffer[] {
  return [chain.root.der, chain.region.der, chain.zone.der, chain.instance.der];
}
