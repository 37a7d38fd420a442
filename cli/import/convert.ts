/** Enclaver's manifest as the files of this product: section by section, each with what became of its fields. */
import type { ProgramDefaults } from '../../eif/oci/programs/defaults.ts';
import { aboutPart } from './about.ts';
import type { Change, FileKey, Fragment, Part } from './change.ts';
import { egressPart } from './egress.ts';
import { ingressPart } from './ingress.ts';
import { innerServicesPart } from './inner-services.ts';
import { kmsProxyPart } from './kms-proxy.ts';
import { machinePart } from './machine.ts';
import type { Manifest } from './manifest.ts';
import { programsPart } from './programs.ts';

export interface Conversion {
  readonly files: Readonly<Record<FileKey, Fragment>>;
  readonly changes: readonly Change[];
}

/** The order is that of the files. */
const SECTIONS: readonly ((manifest: Manifest, image: ProgramDefaults | undefined) => Part)[] = [
  aboutPart,
  machinePart,
  programsPart,
  ingressPart,
  egressPart,
  kmsProxyPart,
  innerServicesPart,
];

/** @param image what the application's image says of itself, where it was read */
export function convert(manifest: Manifest, image?: ProgramDefaults): Conversion {
  const parts = SECTIONS.map((section) => section(manifest, image));
  const file = (key: FileKey, first: Fragment): Fragment =>
    Object.assign({ ...first }, ...parts.map(({ files }) => files[key] ?? {}));
  return {
    files: {
      enclave: file('enclave', { version: 1, workload: 'app' }),
      host: file('host', { version: 1, workload: 'app' }),
      image: file('image', { version: 1 }),
    },
    changes: parts.flatMap(({ changes }) => changes),
  };
}
