/** SHA256SUMS of a release, as `sha256sum --check` reads it, and the signature over its bytes, as OpenSSL verifies it. */
import { createHash, sign, verify } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SigningKey, VerifyingKey } from '../../attestation/published/keys.ts';
import { DeployError } from '../errors.ts';

export const SUMS = 'SHA256SUMS';
export const SIGNATURE = 'SHA256SUMS.sig';

/** @throws DeployError RELEASE_INVALID when it is not there or cannot be read */
export function readListed(folder: string, name: string): Buffer {
  try {
    return readFileSync(join(folder, name));
  } catch (cause) {
    throw new DeployError('RELEASE_INVALID', `the release has no ${name} that can be read`, { cause });
  }
}

export const sha256Of = (content: Buffer): string => createHash('sha256').update(content).digest('hex');

/** All files of a folder but sums and signature, by name. @throws DeployError RELEASE_INVALID for a folder in it */
export function digestsIn(folder: string): ReadonlyMap<string, string> {
  const entries = readdirSync(folder, { withFileTypes: true }).filter(
    ({ name }) => name !== SUMS && name !== SIGNATURE,
  );
  const other = entries.find((entry) => !entry.isFile());
  if (other !== undefined) throw new DeployError('RELEASE_INVALID', 'a release has files only', { found: other.name });
  const names = entries.map(({ name }) => name).sort();
  return new Map(names.map((name) => [name, sha256Of(readListed(folder, name))]));
}

export function encodeSums(digests: ReadonlyMap<string, string>): Buffer {
  return Buffer.from([...digests].map(([name, digest]) => `${digest}  ${name}\n`).join(''));
}

export const signSums = (sums: Buffer, { hash, privateKey }: SigningKey): Buffer => sign(hash, sums, privateKey);

/** @throws DeployError RELEASE_INVALID when a file is another one, is missing, or is not in the list */
export function requireSums(folder: string): void {
  const [stated, found] = [readListed(folder, SUMS), encodeSums(digestsIn(folder))];
  if (stated.equals(found)) return;
  const lines = (sums: Buffer): readonly string[] => sums.toString().split('\n');
  const differing = [
    ...lines(found).filter((line) => !lines(stated).includes(line)),
    ...lines(stated).filter((line) => !lines(found).includes(line)),
  ];
  const names = [...new Set(differing.map((line) => line.replace(/^[0-9a-f]+ {2}/, '')))].sort();
  throw new DeployError('RELEASE_INVALID', `the files are not those that ${SUMS} lists`, { found: names.join(', ') });
}

/** @throws DeployError RELEASE_INVALID */
export function requireSignature(folder: string, { name, hash, key }: VerifyingKey): void {
  const signature = readdirSync(folder).includes(SIGNATURE) ? readListed(folder, SIGNATURE) : undefined;
  if (signature !== undefined && verify(hash, readListed(folder, SUMS), key, signature)) return;
  throw new DeployError('RELEASE_INVALID', `${SUMS} is not signed by ${name}`, {
    found: signature === undefined ? 'no signature' : 'a signature that does not verify',
  });
}
