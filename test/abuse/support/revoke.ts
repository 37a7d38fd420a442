/** Puts a certificate on the measured list of those that are refused (docs/revocation.md). */
import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { revocationNames } from '../../../config/revocation-names.ts';
import type { IssuedCertificate } from '../../../emulator/pki/authority.ts';

/** By its key, in the folder of an enclave that has not been measured yet. */
export function revoke(enclaveFolder: string, { certificatePem }: IssuedCertificate): void {
  const file = join(enclaveFolder, 'enclave.yaml');
  const { ingress, ...others } = parse(readFileSync(file, 'utf8'));
  const { key } = revocationNames(new X509Certificate(certificatePem));
  const revoked = [...(ingress?.revoked ?? []), { key }];
  writeFileSync(file, stringify({ ...others, ingress: { ...ingress, revoked } }));
}
