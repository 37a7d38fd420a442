/**
 * The libraries that a program of an image loads at its start, found as the loader of that image would: glibc's rules, or musl's.
 * Specification: ld.so(8), "Description" and "Rpath token expansion"; musl, ldso/dynlink.c (load_library).
 */
import { posix } from 'node:path';
import type { Architecture } from '../../format/header.ts';
import { ARCHITECTURES } from '../../rootfs/architecture.ts';
import type { ElfFile } from '../../rootfs/elf.ts';
import { foldersConfiguredIn } from '../../rootfs/loader-folders.ts';
import type { FoundFile, ImageFiles } from './file-system.ts';

export interface Loading {
  readonly files: ImageFiles;
  readonly architecture: Architecture;
  /** LD_LIBRARY_PATH of the program. */
  readonly libraryPath: string;
}

export interface LoadedLibraries {
  /** As the loader would open them. */
  readonly found: readonly FoundFile[];
  /** `NAME, needed by /PATH` */
  readonly missing: readonly string[];
}

const MUSL_LOADER = /^ld-musl-(.*)\.so\.\d+$/;
const MUSL_FOLDERS = ['/lib', '/usr/local/lib', '/usr/lib'];
/** musl's loader is these libraries itself, whatever follows: `libc.musl-x86_64.so.1` of Alpine too. */
const IN_MUSL = /^lib(?:c|pthread|rt|m|dl|util|xnet)\./;
/** glibc opens these by itself, for names of users and hosts and to end threads; they are taken where they are. */
const OPENED_BY_GLIBC = ['libnss_files.so.2', 'libnss_dns.so.2', 'libresolv.so.2', 'libgcc_s.so.1'];

interface Pending {
  readonly elf: ElfFile;
  /** Where the loader opened it, before links. */
  readonly path: string;
  /** What asked for it; undefined for what the search began with. */
  readonly neededBy?: Pending;
}

interface Search {
  readonly loading: Loading;
  readonly isMusl: boolean;
  /** Of the program, which hold for all its libraries. */
  readonly programFolders: readonly string[];
  readonly systemFolders: readonly string[];
}

/** @param file an ELF file: the program, or a library that it will open @throws EifBuildError EIF_BUILD_ELF */
export async function librariesOf(file: FoundFile, elf: ElfFile, loading: Loading): Promise<LoadedLibraries> {
  const loader = elf.interpreter ?? '';
  const isMusl = MUSL_LOADER.test(posix.basename(loader)) || elf.needed.some((name) => name.startsWith('libc.musl-'));
  const search: Search = {
    loading,
    isMusl,
    programFolders: elf.runpath.length > 0 ? [] : expand(elf.rpath, `/${file.path}`),
    systemFolders: isMusl ? await muslFolders(loading, loader) : await glibcFolders(loading),
  };
  const found = new Map<string, FoundFile>();
  const missing: string[] = [];
  const pending: Pending[] = [{ elf, path: `/${file.path}` }];
  for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
    const opened = next.elf.needed.includes('libc.so.6') ? OPENED_BY_GLIBC : [];
    for (const name of [...next.elf.needed, ...opened]) {
      if (found.has(name) || name === posix.basename(loader) || (isMusl && IN_MUSL.test(name))) continue;
      const library = await findLibrary(name, next, search);
      if (library !== undefined) {
        found.set(name, library.file);
        pending.push(library);
      } else if (!opened.includes(name)) missing.push(`${name}, needed by ${next.path}`);
    }
  }
  return { found: [...found.values()], missing };
}

async function glibcFolders({ files, architecture }: Loading): Promise<readonly string[]> {
  return [...(await foldersConfiguredIn(files)), ...ARCHITECTURES[architecture].loaderFolders];
}

async function muslFolders({ files, architecture }: Loading, loader: string): Promise<readonly string[]> {
  const name = MUSL_LOADER.exec(posix.basename(loader))?.[1] ?? architecture;
  const configured = (await files.read(`/etc/ld-musl-${name}.path`)).split(/[\n:]/).filter(Boolean);
  return configured.length > 0 ? configured : MUSL_FOLDERS;
}

function expand(folders: readonly string[], path: string): readonly string[] {
  return folders.map((folder) => folder.replaceAll(/\$(ORIGIN|\{ORIGIN\})/g, posix.dirname(path)));
}

function libraryFolders({ libraryPath }: Loading): readonly string[] {
  return libraryPath.split(':').filter(Boolean);
}

/** RUNPATH holds for what a library needs itself; RPATH of the program, without one, for all. */
function glibcSearch({ elf, path }: Pending, { loading, programFolders, systemFolders }: Search): readonly string[] {
  return [
    ...expand(elf.runpath.length > 0 ? [] : elf.rpath, path),
    ...programFolders,
    ...libraryFolders(loading),
    ...expand(elf.runpath, path),
    ...systemFolders,
  ];
}

/** Both kinds hold for all that is needed below, and LD_LIBRARY_PATH goes before them. */
function muslSearch(needing: Pending, { loading, systemFolders }: Search): readonly string[] {
  const way: string[] = [];
  for (let at: Pending | undefined = needing; at !== undefined; at = at.neededBy) {
    const { elf, path } = at;
    way.push(...expand(elf.runpath.length > 0 ? elf.runpath : elf.rpath, path));
  }
  return [...libraryFolders(loading), ...way, ...systemFolders];
}

async function findLibrary(
  name: string,
  needing: Pending,
  search: Search,
): Promise<(Pending & { readonly file: FoundFile }) | undefined> {
  const { files, architecture } = search.loading;
  const folders = search.isMusl ? muslSearch(needing, search) : glibcSearch(needing, search);
  for (const candidate of name.includes('/') ? [name] : folders.map((folder) => posix.join('/', folder, name))) {
    const file = files.findFile(candidate);
    const library = file === undefined ? undefined : await files.elf(file);
    // Like the loader, go on where a library is for another processor.
    if (file === undefined || library?.machine !== ARCHITECTURES[architecture].elfMachine) continue;
    return { elf: library, path: candidate, file, neededBy: needing };
  }
  return undefined;
}
