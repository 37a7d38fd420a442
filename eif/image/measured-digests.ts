/**
 * The measured folder by its files' digests, as they were read from the archives that are in the image: what the enclave will find is
 * stated, whatever becomes of the folder on disk meanwhile.
 */
import type { FileDigests } from '../../attestation/runtime/folder-digest.ts';
import { ENCLAVE_FOLDER } from '../../wire/image-layout.ts';
import type { BomRamdisk } from '../bom/cyclonedx.ts';
import { CONFIGURATION_COMPONENT } from '../rootfs/measured-folder.ts';

/** @returns by the path relative to the measured folder */
export function measuredDigests(ramdisks: readonly BomRamdisk[]): FileDigests {
  const files = ramdisks.flatMap(({ entries, componentOf }) =>
    entries.flatMap(({ name, sha256 }): [string, string][] =>
      sha256 === undefined || componentOf.get(name) !== CONFIGURATION_COMPONENT ? [] : [[pathInFolder(name), sha256]],
    ),
  );
  return new Map(files);
}

/** AWS's init wants the root file system in a folder of its own. */
function pathInFolder(name: string): string {
  const folder = `${ENCLAVE_FOLDER}/`;
  return name.slice(name.indexOf(folder) + folder.length);
}
