/** Looks at a release as somebody who has its files and, by another way, the public key of who made it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { VerifyingKey } from '../../attestation/published/keys.ts';
import { DeployError } from '../errors.ts';
import { billName, provenanceName } from './make.ts';
import { readProvenance } from './provenance.ts';
import { digestsIn, requireSignature, requireSums } from './sums.ts';

export interface VerifiedRelease {
  readonly version: string;
  readonly gitCommit: string;
  readonly files: number;
  readonly components: number;
}

const billSchema = z.object({
  bomFormat: z.literal('CycloneDX'),
  specVersion: z.literal('1.6'),
  metadata: z.object({ component: z.object({ name: z.string(), version: z.string() }) }),
  components: z.array(z.object({ type: z.string(), name: z.string() })),
});

function findProvenance(folder: string): string {
  const [name, ...others] = readdirSync(folder).filter((each) => each.endsWith('.provenance.json'));
  if (name !== undefined && others.length === 0) return name;
  throw new DeployError('RELEASE_INVALID', `${folder} is no release`, { allowed: 'one file *.provenance.json' });
}

function requireSubjects(folder: string, name: string, stated: ReadonlyMap<string, string>): void {
  const found = new Map([...digestsIn(folder)].filter(([each]) => each !== name));
  const wrong = [...new Set([...found.keys(), ...stated.keys()])].filter(
    (each) => found.get(each) !== stated.get(each),
  );
  if (wrong.length === 0) return;
  throw new DeployError('RELEASE_INVALID', 'the files are not those of the provenance', {
    found: wrong.sort().join(', '),
  });
}

/**
 * @param key undefined where no signature is demanded
 * @throws DeployError RELEASE_INVALID
 */
export function verifyRelease(folder: string, key: VerifyingKey | undefined): VerifiedRelease {
  const name = findProvenance(folder);
  requireSums(folder);
  if (key !== undefined) requireSignature(folder, key);
  const { version, gitCommit, files } = readProvenance(readFileSync(join(folder, name)), key);
  if (name !== provenanceName(version))
    throw new DeployError('RELEASE_INVALID', `${name} is of another version`, { found: version });
  requireSubjects(folder, name, files);
  const bill = billSchema.safeParse(JSON.parse(readFileSync(join(folder, billName(version)), 'utf8')));
  if (!bill.success || bill.data.metadata.component.version !== version)
    throw new DeployError('RELEASE_INVALID', `${billName(version)} is no bill of materials of this release`);
  return { version, gitCommit, files: files.size + 1, components: bill.data.components.length };
}
