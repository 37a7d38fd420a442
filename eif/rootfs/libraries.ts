/**
 * Finds the shared libraries of programs as the loader would, by reading ELF: the libraries that a file needs, those that
 * they need, and so on. Nothing is run and nothing is guessed. Specification: ld.so(8), "Description".
 */
import { basename, dirname, join, resolve } from 'node:path';
import { EifBuildError } from '../build-errors.ts';
import type { Architecture } from '../format/header.ts';
import { ARCHITECTURES } from './architecture.ts';
import { type ElfFile, readElf } from './elf.ts';
import { findInSystem } from './system-path.ts';

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
  /** Where the loader finds it: a path inside the system, or of this machine for what lies elsewhere. */
  readonly path: string;
  /** The file itself, on this machine, without links. */
  readonly source: string;
}

export interface Libraries {
  /** The loader itself, as PT_INTERP names it. */
  readonly interpreter: string | undefined;
  /** Without the loader; sorted by name. */
  readonly libraries: readonly Library[];
}

interface Place {
  /** Root of the system that the path belongs to. */
  readonly system: string;
  readonly path: string;
}

interface Pending extends Place {
  readonly elf: ElfFile;
}

const ofThisMachine = (path: string): Place => ({ system: '/', path: resolve(path) });

/**
 * @param files programs and addons that run in one process
 * @throws EifBuildError EIF_BUILD_ELF, EIF_BUILD_LIBRARY_MISSING, EIF_BUILD_LIBRARY_CONFLICT; EifError EIF_FILE_READ
 */
export async function findLibraries(files: readonly string[], search: LibrarySearch): Promise<Libraries> {
  const found = new Map<string, Library>();
  const pending: Pending[] = [];
  for (const path of files) pending.push({ ...ofThisMachine(path), elf: await readFor(path, search.architecture) });
  const interpreter = onlyInterpreter(pending);
  const loaderName = interpreter === undefined ? undefined : basename(interpreter);
  for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
    for (const name of next.elf.needed) {
      if (name === loaderName || found.has(name)) continue;
      const library = await findLibrary(name, next, search);
      found.set(name, { name, path: library.path, source: library.source });
      pending.push(library);
    }
  }
  return { interpreter, libraries: [...found.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)) };
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

function foldersFor({ system, path, elf }: Pending, search: LibrarySearch): readonly Place[] {
  // A library's own DT_RUNPATH rules out its DT_RPATH.
  const own = elf.runpath.length > 0 ? elf.runpath : elf.rpath;
  const inSystem = (folder: string): Place => ({ system: search.system, path: join('/', folder) });
  const expand = (folder: string): Place =>
    /\$(ORIGIN|\{ORIGIN\})/.test(folder)
      ? { system, path: join('/', folder.replaceAll(/\$(ORIGIN|\{ORIGIN\})/g, dirname(path))) }
      : inSystem(folder);
  return [
    ...search.firstFolders.map(ofThisMachine),
    ...(search.followsRunpath ? own.map(expand) : []),
    ...[...search.configuredFolders, ...ARCHITECTURES[search.architecture].loaderFolders].map(inSystem),
  ];
}

async function findLibrary(name: string, neededBy: Pending, search: LibrarySearch): Promise<Pending & Library> {
  const folders = foldersFor(neededBy, search);
  // A name with a slash is a path, which would mean another file in the image.
  for (const { system, path: folder } of name.includes('/') ? [] : folders) {
    const path = join(folder, name);
    const source = await findInSystem(system, path);
    if (source !== undefined) return { name, system, path, source, elf: await readFor(source, search.architecture) };
  }
  throw new EifBuildError('EIF_BUILD_LIBRARY_MISSING', `${neededBy.path} needs ${name}, which is nowhere`, {
    allowed: `a file ${name} in ${folders.map(({ system, path }) => join(system, path)).join(', ')}`,
  });
}
