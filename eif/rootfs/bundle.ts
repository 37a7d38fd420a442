/**
 * Bundles programs for the enclave with esbuild: one file for each, with all packages in it but those that read files of
 * their own. Nothing of the environment reaches the result: paths in it are relative to the project, and configuration
 * files of esbuild and TypeScript are not read.
 */
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildOptions, BuildResult, Metafile, Plugin } from 'esbuild';
import { EifBuildError } from '../build-errors.ts';
import { FILE_MODE, type RootfsFile } from './content.ts';
import { type NpmPackage, readPackage, UNBUNDLED_PACKAGES, unbundledFiles, withItsNeeds } from './npm-package.ts';
import { followReferences, programName, type ReferenceObserver } from './program-references.ts';

/** Key of our own code in the bill of materials. */
export const OWN_COMPONENT = 'acra-enclave';

/** Packages in CommonJS call `require` for modules of Node; an ES module has none. */
const REQUIRE =
  "import { createRequire as requireFor } from 'node:module';\nconst require = requireFor(import.meta.url);";

export interface BundleRequest {
  /** The folder with our sources and node_modules/. */
  readonly projectFolder: string;
  /** A source file relative to the project, and its name in the folder if not the usual one. */
  readonly entry: string;
  readonly name?: string;
  /** Folder of the image that all programs go to. */
  readonly into: string;
  /** Source files that must not be in the image, whoever refers to them. */
  readonly forbidden: readonly string[];
  /** Gets the bundles; must stay until the image is written. */
  readonly workFolder: string;
}

export interface Bundle {
  readonly files: readonly RootfsFile[];
  /** Everything that is in the files, bundled or beside them. */
  readonly packages: readonly NpmPackage[];
}

/**
 * The program, the programs that it starts, and the files of packages that cannot be bundled.
 * @throws EifBuildError EIF_BUILD_BUNDLE, EIF_BUILD_STAND_IN, EIF_BUILD_NODE_MISSING
 */
export async function bundlePrograms(request: BundleRequest): Promise<Bundle> {
  const projectFolder = await realpath(request.projectFolder);
  const esbuild = await import('esbuild');
  const names = new Map([[request.entry, request.name ?? programName(request.entry)]]);
  const files: RootfsFile[] = [ownFile(`${request.into}/package.json`, { bytes: Buffer.from('{"type":"module"}\n') })];
  const packageFolders = new Set<string>();
  const addUnbundled = (name: string) => {
    for (const each of withItsNeeds(name)) packageFolders.add(`node_modules/${each}`);
  };
  const observer: ReferenceObserver = {
    onProgram: (entry) => {
      if (!names.has(entry)) names.set(entry, programName(entry));
    },
    onPackage: (name) => {
      if (UNBUNDLED_PACKAGES.includes(name)) addUnbundled(name);
    },
  };
  try {
    // The map grows while it is walked: programs start programs.
    for (const [entry, name] of names) {
      refuseForbidden(entry, request.forbidden);
      const outfile = join(request.workFolder, request.into, name);
      const metafile = await bundleOne(esbuild.build, { projectFolder, entry, outfile, observer });
      files.push(ownFile(`${request.into}/${name}`, { path: outfile }));
      for (const folder of packagesOf(metafile)) packageFolders.add(folder);
    }
  } finally {
    await esbuild.stop();
  }
  const packages = await Promise.all(
    [...packageFolders].toSorted().map((each) => readPackage(join(projectFolder, each))),
  );
  const unbundled = packages.filter(({ name }) => UNBUNDLED_PACKAGES.includes(name));
  for (const npmPackage of unbundled) files.push(...(await unbundledFiles(npmPackage, request.into)));
  return { files, packages };
}

function ownFile(name: string, source: RootfsFile['source']): RootfsFile {
  return { name, mode: FILE_MODE, source, component: OWN_COMPONENT };
}

function refuseForbidden(entry: string, forbidden: readonly string[]): void {
  if (!forbidden.includes(entry)) return;
  throw new EifBuildError('EIF_BUILD_STAND_IN', 'the code of the enclave can start the stand-in', { found: entry });
}

/** Of our package.json the code reads the release; which tools developers use, and how it was packed, is not measured. */
function onlyRelease(projectFolder: string): Plugin {
  return {
    name: 'only-release',
    setup: ({ onLoad }) => {
      onLoad({ filter: /\bpackage\.json$/ }, async ({ path }) => {
        if (path !== join(projectFolder, 'package.json')) return undefined;
        const { version } = await readPackage(projectFolder);
        return { contents: JSON.stringify({ version }), loader: 'json' };
      });
    },
  };
}

interface Bundling {
  readonly projectFolder: string;
  readonly entry: string;
  /** Written by esbuild itself: the code does not pass through this process. */
  readonly outfile: string;
  readonly observer: ReferenceObserver;
}

function optionsFor({ projectFolder, entry, outfile, observer }: Bundling) {
  return {
    absWorkingDir: projectFolder,
    entryPoints: [join(projectFolder, entry)],
    outfile,
    bundle: true,
    metafile: true,
    platform: 'node',
    format: 'esm',
    target: 'node26',
    // V8 keeps the text as long as the program runs: without indentation, a byte a character, in lines that a stack trace still tells apart.
    charset: 'ascii',
    minifyWhitespace: true,
    lineLimit: 160,
    external: [...UNBUNDLED_PACKAGES],
    nodePaths: [],
    // Else the place that a link to packages leads to would stand in the bundle.
    preserveSymlinks: true,
    banner: { js: REQUIRE },
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
    logLevel: 'silent',
    plugins: [followReferences(projectFolder, observer), onlyRelease(projectFolder)],
  } as const satisfies BuildOptions;
}

async function bundleOne(
  build: (options: ReturnType<typeof optionsFor>) => Promise<BuildResult<ReturnType<typeof optionsFor>>>,
  bundling: Bundling,
): Promise<Metafile> {
  try {
    return (await build(optionsFor(bundling))).metafile;
  } catch (cause) {
    throw new EifBuildError('EIF_BUILD_BUNDLE', `cannot bundle ${bundling.entry}`, { cause });
  }
}

const PACKAGE_FOLDER = /^(.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/;

/** Folders of packages, relative to the project: those with bundled files, and the external ones that are imported. */
function packagesOf({ inputs, outputs }: Metafile): readonly string[] {
  const bundled = Object.keys(inputs).flatMap((path) => PACKAGE_FOLDER.exec(path)?.[0] ?? []);
  const imported = Object.values(outputs).flatMap((output) => output.imports.map(({ path }) => path));
  const isImported = (name: string): boolean => imported.some((path) => path === name || path.startsWith(`${name}/`));
  return [
    ...bundled,
    ...UNBUNDLED_PACKAGES.filter(isImported)
      .flatMap(withItsNeeds)
      .map((name) => `node_modules/${name}`),
  ];
}
