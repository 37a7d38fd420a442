/** Looks at a release as somebody who has its files and, by another way, the public key of who made it. */
import { readdirSync } from 'node:fs';
import { z } from 'zod';
import type { VerifyingKey } from '../../attestation/published/keys.ts';
import { DeployError } from '../errors.ts';
import { billName, provenanceName } from './make.ts';
import { readProvenance } from './provenance.ts';
import { digestsIn, readListed, requireSignature, requireSums } from './sums.ts';

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

/** @throws DeployError RELEASE_FOLDER, RELEASE_INVALID */
function findProvenance(folder: string): string {
  let names: readonly string[];
  try {
    names = readdirSync(folder);
  } catch (cause) {
    throw new DeployError('RELEASE_FOLDER', 'the folder of the release cannot be read', {
      action: 'Name the folder that has SHA256SUMS and the files which it lists.',
      cause,
    });
  }
  const [name, ...others] = names.filter((each) => each.endsWith('.provenance.json'));
  if (name !== undefined && others.length === 0) return name;
  throw new DeployError('RELEASE_INVALID', `${folder} is no release`, { allowed: 'one file *.provenance.json' });
}

/** @returns undefined where it is none that `make release` writes */
function readBill(bytes: Buffer): z.infer<typeof billSchema> | undefined {
  try {
    return billSchema.parse(JSON.parse(bytes.toString()));
  } catch {
    return undefined;
  }
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
 * @throws DeployError RELEASE_FOLDER, RELEASE_INVALID
 */
export function verifyRelease(folder: string, key: VerifyingKey | undefined): VerifiedRelease {
  const name = findProvenance(folder);
  requireSums(folder);
  if (key !== undefined) requireSignature(folder, key);
  const { version, gitCommit, files } = readProvenance(readListed(folder, name), key);
  if (name !== provenanceName(version))
    throw new DeployError('RELEASE_INVALID', `${name} is of another version`, { found: version });
  requireSubjects(folder, name, files);
  const bill = readBill(readListed(folder, billName(version)));
  if (bill?.metadata.component.version !== version)
    throw new DeployError('RELEASE_INVALID', `${billName(version)} is no bill of materials of this release`);
  return { version, gitCommit, files: files.size + 1, components: bill.components.length };
}
