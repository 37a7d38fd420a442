/**
 * Node with exactly the shared libraries that it and its addon need, in the folders where its loader looks for them: there
 * is no loader cache and no other library in the image.
 */
import { join } from 'node:path';
import { CODE_FOLDER, NODE_PATH } from '../../wire/image-layout.ts';
import { EifBuildError } from '../build-errors.ts';
import type { Architecture } from '../format/header.ts';
import { ARCHITECTURES } from './architecture.ts';
import { FILE_MODE, PROGRAM_MODE, type RootfsFile } from './content.ts';
import { findLibraries } from './libraries.ts';
import { loadedPart } from './loaded-part.ts';
import { findPackage, type NpmPackage, packageFile, packageUrl } from './npm-package.ts';
import { findInSystem } from './system-path.ts';

/** Key of the C and C++ libraries in the bill of materials. */
export const SYSTEM_COMPONENT = 'system-libraries';

export interface NodeRuntime {
  readonly files: readonly RootfsFile[];
  readonly packages: readonly NpmPackage[];
  /** Of the node program before it was cut to what is loaded, as hex; settles when the files have been read. */
  readonly nodeSha256: Promise<string>;
}

interface RuntimeOptions {
  readonly architecture: Architecture;
  /** The folder with node_modules/. */
  readonly projectFolder: string;
  /** Root of the system whose libraries are taken. */
  readonly system: string;
}

/**
 * @throws EifBuildError EIF_BUILD_NODE_MISSING, EIF_BUILD_ELF, EIF_BUILD_LIBRARY_MISSING, EIF_BUILD_LIBRARY_CONFLICT
 */
export async function nodeRuntime(options: RuntimeOptions): Promise<NodeRuntime> {
  const { architecture, projectFolder, system } = options;
  const { nodePackage, koffiPackage, koffiFolder } = ARCHITECTURES[architecture];
  const node = await findPackage(projectFolder, nodePackage);
  const koffi = await findPackage(projectFolder, koffiPackage);
  const addon = `${koffiFolder}/koffi.node`;
  const program = join(node.folder, 'bin/node');
  const { interpreter, libraries } = await findLibraries([program, join(koffi.folder, addon)], {
    architecture,
    system,
    firstFolders: [],
    configuredFolders: [],
    followsRunpath: false,
  });
  const asFound = (path: string, mode: number, source: string): RootfsFile => ({
    name: path.slice(1),
    mode,
    source: { path: source },
    component: SYSTEM_COMPONENT,
  });
  const loaded = await loadedPart(program);
  const files: RootfsFile[] = [
    { name: NODE_PATH, mode: PROGRAM_MODE, source: loaded.source, component: packageUrl(node) },
    ...(interpreter === undefined
      ? []
      : [asFound(interpreter, PROGRAM_MODE, await findLoader(system, interpreter, program))]),
    ...libraries.map(({ path, source }) => asFound(path, FILE_MODE, source)),
    ...['package.json', 'index.js', addon].map((name) => packageFile(koffi, name, CODE_FOLDER)),
  ];
  return { files, packages: [node, koffi], nodeSha256: loaded.originalSha256 };
}

async function findLoader(system: string, interpreter: string, program: string): Promise<string> {
  const source = await findInSystem(system, interpreter);
  if (source !== undefined) return source;
  throw new EifBuildError('EIF_BUILD_LIBRARY_MISSING', `${program} needs its loader, which is nowhere`, {
    allowed: `a file ${join(system, interpreter)}`,
  });
}
