/** Files of test/vectors/eif, and a time at which their long certificates are valid and the short one is not. */
import { fileURLToPath } from 'node:url';
import { type CertificateChain, readCertificateChain } from '../../../eif/sign/certificate.ts';
import { readSigningKey, type SigningKey } from '../../../eif/sign/key.ts';

export const NOW_MS = Date.UTC(2027, 0, 1);
export const DAY_MS = 86_400_000;

export const SIGNERS = ['es256', 'es384', 'es512'] as const;
export type SignerName = (typeof SIGNERS)[number];

export function vector(name: string): string {
  return fileURLToPath(new URL(`../../vectors/eif/${name}`, import.meta.url));
}

export function keyOf(name: SignerName): Promise<SigningKey> {
  return readSigningKey(vector(`${name}.key.pem`));
}

export function chainOf(name: SignerName | 'es384-chain' | 'es384-short' | 'unnamed'): Promise<CertificateChain> {
  return readCertificateChain(vector(`${name}.cert.pem`));
}
