/** The image of a measured folder, for QEMU's machine: built as `acra-enclave eif build` builds it, but not compressed, which boots faster. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { readExpectedPcrs } from '../../eif/expected-pcrs.ts';
import { IMAGE_NAME } from '../../eif/image/build-image.ts';
import { MEASUREMENTS_NAME } from '../../eif/image/measurements.ts';
import type { PcrIndex } from '../../wire/brands.ts';
import { toPcrIndex } from '../../wire/brands.ts';
import { buildFolder } from '../eif/build-folder.ts';
import { MACHINE_MEMORY_MIB } from '../qemu/machine-section.ts';

const IMAGE_YAML = { version: 1, memoryMiB: MACHINE_MEMORY_MIB, compression: 'none' };
const REGISTERS = [0, 1, 2] as const;

export interface MeasuredImage {
  readonly path: string;
  /** PCR0 to 2, as its measurements.json tells them. */
  readonly pcrs: ReadonlyMap<PcrIndex, Buffer>;
}

export interface ImageOptions {
  /** The measured one. */
  readonly folder: string;
  /** A folder of its own. */
  readonly output: string;
  /** With `workload: app`, the container image of its programs. */
  readonly application?: string;
  readonly signal: AbortSignal;
}

/** @throws those of buildFolder */
export async function buildMeasuredImage({
  folder,
  output,
  application,
  signal,
}: ImageOptions): Promise<MeasuredImage> {
  mkdirSync(dirname(output), { recursive: true });
  const recipe = join(dirname(output), 'image.yaml');
  writeFileSync(recipe, stringify(IMAGE_YAML));
  await buildFolder({
    enclave: folder,
    recipe,
    allowStandIn: true,
    container: application === undefined ? {} : { image: application },
    signer: async () => 'unsigned',
    output,
    signal,
  });
  const measured = await readExpectedPcrs(join(output, MEASUREMENTS_NAME));
  const pcrs = REGISTERS.map(
    (index) => [toPcrIndex(index), Buffer.from(measured[`PCR${index}`] ?? '', 'hex')] as const,
  );
  return { path: join(output, IMAGE_NAME), pcrs: new Map(pcrs) };
}
