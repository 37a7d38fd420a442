/**
 * Finds the shared libraries of programs as the loader would, by reading ELF: the libraries that a file needs, those that
 * they need, and so on. Nothing is run and nothing is guessed. Specification: ld.so(8), "Description".
 */
import { access } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { EifBuildError } from '../build-errors.ts';
import type { Architecture } from '../format/header.ts';
import { ARCHITECTURES } from './architecture.ts';
import { type ElfFile, readElf } from './elf.ts';

export interface LibrarySearch {
  readonly architecture: Architecture;
  /** Root of the system whose libraries are taken, usually "/"; a set of unpacked packages as well. */
  readonly system: string;
  /** Searched first, as the loader does with LD_LIBRARY_PATH; paths of this machine. */
  readonly firstFolders: readonly string[];
  /** Searched before the loader's own folders; paths inside the system. */
  readonly configuredFolders: readonly string[];
  /** Whether DT_RPATH and DT_RUNPATH count; not for files that lie elsewhere in the image. */
  readonly followsRunpath: boolean;
}

interface Library {
  /** The name under which it is needed. */
  readonly name: string;
  /** Path on this machine. */
  readonly path: string;
}

export interface Libraries {
  /** The loader itself, as PT_INTERP names it. */
  readonly interpreter: string | undefined;
  /** Without the loader; sorted by name. */
  readonly libraries: readonly Library[];
}

interface Pending {
  readonly path: string;
  readonly elf: ElfFile;
}

/**
 * @param files programs and addons that run in one process
 * @throws EifBuildError EIF_BUILD_ELF, EIF_BUILD_LIBRARY_MISSING, EIF_BUILD_LIBRARY_CONFLICT; EifError EIF_FILE_READ
 */
export async function findLibraries(files: readonly string[], search: LibrarySearch): Promise<Libraries> {
  const found = new Map<string, string>();
  const pending: Pending[] = [];
  for (const path of files) pending.push({ path, elf: await readFor(path, search.architecture) });
  const interpreter = onlyInterpreter(pending);
  const loaderName = interpreter === undefined ? undefined : basename(interpreter);
  for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
    for (const name of next.elf.needed) {
      if (name === loaderName || found.has(name)) continue;
      const library = await findLibrary(name, next, search);
      found.set(name, library.path);
      pending.push(library);
    }
  }
  const libraries = [...found].map(([name, path]) => ({ name, path }));
  return { interpreter, libraries: libraries.toSorted((a, b) => (a.name < b.name ? -1 : 1)) };
}

async function readFor(path: string, architecture: Architecture): Promise<ElfFile> {
  const elf = await readElf(path);
  if (elf.machine === ARCHITECTURES[architecture].elfMachine) return elf;
  throw new EifBuildError('EIF_BUILD_ELF', `${path} is for another processor`, {
    found: `machine ${elf.machine}`,
    allowed: `machine ${ARCHITECTURES[architecture].elfMachine} (${architecture})`,
  });
}

function onlyInterpreter(files: readonly Pending[]): string | undefined {
  const named = new Set(files.map(({ elf }) => elf.interpreter).filter((path) => path !== undefined));
  if (named.size <= 1) return [...named][0];
  throw new EifBuildError('EIF_BUILD_LIBRARY_CONFLICT', 'the programs run under different loaders', {
    found: [...named].join(', '),
  });
}

function foldersFor({ path, elf }: Pending, search: LibrarySearch): readonly string[] {
  const { system, architecture } = search;
  // A library's own DT_RUNPATH rules out its DT_RPATH.
  const own = elf.runpath.length > 0 ? elf.runpath : elf.rpath;
  const expand = (folder: string): string =>
    /\$(ORIGIN|\{ORIGIN\})/.test(folder)
      ? folder.replaceAll(/\$(ORIGIN|\{ORIGIN\})/g, dirname(path))
      : join(system, folder);
  return [
    ...search.firstFolders,
    ...(search.followsRunpath ? own.map(expand) : []),
    ...[...search.configuredFolders, ...ARCHITECTURES[architecture].loaderFolders].map((each) => join(system, each)),
  ];
}

async function findLibrary(name: string, neededBy: Pending, search: LibrarySearch): Promise<Pending> {
  const folders = foldersFor(neededBy, search);
  // A name with a slash is a path, which would mean another file in the image.
  for (const folder of name.includes('/') ? [] : folders) {
    const path = join(folder, name);
    if (await isThere(path)) return { path, elf: await readFor(path, search.architecture) };
  }
  throw new EifBuildError('EIF_BUILD_LIBRARY_MISSING', `${neededBy.path} needs ${name}, which is nowhere`, {
    allowed: `a file ${name} in ${folders.join(', ')}`,
  });
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
