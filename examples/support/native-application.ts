/** A container image of one native program with nothing beside it but its loader, its libraries and some files. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hostArchitecture } from '../../cli/eif/provide-kernel.ts';
import { findLibraries } from '../../eif/rootfs/libraries.ts';
import { writeLayout } from '../../test/eif/oci/support/layout.ts';
import type { TestEntry } from '../../test/eif/oci/support/tar.ts';

const SEARCH = { system: '/', firstFolders: [], configuredFolders: [], followsRunpath: false } as const;

const programEntry = (path: string, source: string): TestEntry => ({
  name: path.replace(/^\//, ''),
  mode: 0o755,
  bytes: readFileSync(source),
});

/**
 * @param program its path in the image, and the file on this machine @param files what else is in the image, by path
 * @returns an OCI layout in `folder`
 */
export async function nativeApplication(
  folder: string,
  [path, source]: readonly [path: string, source: string],
  files: Readonly<Record<string, string>>,
): Promise<string> {
  const { interpreter, libraries } = await findLibraries([source], { ...SEARCH, architecture: hostArchitecture() });
  const loader = interpreter === undefined ? [] : [programEntry(interpreter, interpreter)];
  const own = Object.entries(files).map(([name, text]): TestEntry => ({ name: name.replace(/^\//, ''), text }));
  const found = libraries.map((library) => programEntry(library.path, library.source));
  const layer = [programEntry(path, source), ...loader, ...found, ...own];
  return writeLayout(join(folder, 'oci'), { layers: [layer], run: { Entrypoint: [path] } });
}
