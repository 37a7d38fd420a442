/**
 * What a simulated enclave measures in place of an image: PCR0 everything, PCR1 the supervisor's code, PCR2 the measured
 * folder and acra-server; the same construction as for an image (nitro-formats 3.2). A changed byte in any of them
 * changes PCR0.
 */
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AcraProgram } from '../../acra/obtain/program.ts';
import { measurePcr } from '../../attestation/pcr.ts';
import type { PcrIndex } from '../../wire/brands.ts';
import { toPcrIndex } from '../../wire/brands.ts';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
/** The folders that end up in an enclave image. */
export const CODE: readonly string[] = [
  ...['runtime', 'system', 'encoding', 'postgres', 'wire', 'config'],
  ...['relay', 'attestation', 'kms', 'keys', 'acra', 'sessions', 'supervisor'],
];
/** The exact versions of the packages; an installed npm package has the second only. */
const VERSIONS = ['package-lock.json', 'package.json'].filter((file) => existsSync(join(PROJECT, file))).slice(0, 1);

function* filesBelow(path: string): Generator<string> {
  if (!lstatSync(path).isDirectory()) {
    yield path;
    return;
  }
  for (const name of readdirSync(path).sort()) yield* filesBelow(join(path, name));
}

/** Name, length and content of every file, in a fixed order: no two trees give the same bytes. */
function* describeTree(root: string, entries: readonly string[]): Generator<Buffer> {
  for (const entry of entries) {
    for (const file of filesBelow(join(root, entry))) {
      const content = readFileSync(file);
      yield Buffer.from(`${relative(root, file).split(sep).join('/')}\0${content.length}\0`);
      yield content;
    }
  }
}

export function measureSimulatedEnclave(
  enclaveFolder: string,
  acraProgram: AcraProgram | undefined,
): ReadonlyMap<PcrIndex, Buffer> {
  const code = [...describeTree(PROJECT, [...CODE, ...VERSIONS])];
  const application = [...describeTree(enclaveFolder, ['.']), Buffer.from(acraProgram?.sha256 ?? '', 'hex')];
  return new Map([
    [toPcrIndex(0), measurePcr([...code, ...application])],
    [toPcrIndex(1), measurePcr(code)],
    [toPcrIndex(2), measurePcr(application)],
  ]);
}

/** A module id of the form that AWS uses, but recognisably none of theirs. */
export function simulatedModuleId(enclaveFolder: string): string {
  const id = createHash('sha256').update(enclaveFolder).digest('hex').slice(0, 16);
  return `i-simulated-enc${id}`;
}
