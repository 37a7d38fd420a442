/** Keys and certificates as files, fresh for each test, so that they are valid by the clock of the command. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAuthority } from '../../../emulator/pki/authority.ts';
import { systemClock } from '../../../runtime/clock.ts';

const DAY_MS = 86_400_000;

export interface SignerFiles {
  readonly key: string;
  readonly certificate: string;
}

/** On P-256. */
export async function writeSigner(
  folder: string,
  name: string,
  state: 'valid' | 'expired' = 'valid',
): Promise<SignerFiles> {
  const authority = await createAuthority({ commonName: 'signing authority', clock: systemClock });
  const daysAgo = (days: number) => new Date(systemClock.nowMs() - days * DAY_MS);
  const past = { notBefore: daysAgo(3), notAfter: daysAgo(1) };
  const { privateKeyPem, certificatePem } = await authority.issue({
    commonName: name,
    kind: 'client',
    ...(state === 'expired' ? past : {}),
  });
  const files = { key: join(folder, `${name}.key.pem`), certificate: join(folder, `${name}.cert.pem`) };
  writeFileSync(files.key, privateKeyPem);
  writeFileSync(files.certificate, certificatePem);
  return files;
}
