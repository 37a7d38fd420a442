/**
 * What programs need of an image: themselves, their loaders and libraries, what the C library reads, and what `keep` names. What a program
 * opens while it runs cannot be seen from outside: scripts and interpreters, which open all that they do, are refused without `keep`.
 */
import { posix } from 'node:path';
import type { Architecture } from '../../format/header.ts';
import { OciError } from '../errors.ts';
import type { Found } from '../layers/look-up.ts';
import { type PlacedNode, walk } from '../layers/nodes.ts';
import { namedSome } from '../layers/privileges.ts';
import type { FoundFile, ImageFiles } from './file-system.ts';
import { type FoundProgram, findProgram, type ProgramOfImage } from './find-program.ts';
import { type Loading, librariesOf } from './image-libraries.ts';
import { pathPattern } from './path-pattern.ts';

export interface ClosureOptions {
  readonly programs: readonly ProgramOfImage[];
  readonly architecture: Architecture;
  /** Patterns of paths. */
  readonly keep: readonly string[];
}

export interface Closure {
  readonly nodes: readonly PlacedNode[];
  /** Needs of kept files that nothing in the image meets; for people. */
  readonly missing: readonly string[];
}

/** Accounts, names of hosts, certificates, and what the loader of glibc is told; taken where they are. */
const ALWAYS = [
  '/etc/passwd',
  '/etc/group',
  '/etc/nsswitch.conf',
  '/etc/ld.so.cache',
  '/etc/ld.so.conf',
  '/etc/ld.so.conf.d',
  '/etc/ssl',
  '/etc/pki/tls/certs',
  '/etc/pki/ca-trust/extracted',
  '/usr/share/ca-certificates',
  '/usr/local/share/ca-certificates',
];
const MUSL_CONFIGURATION = /^\/etc\/ld-musl-[^/]*\.path$/;

const INTERPRETERS =
  /^(?:ba|da|a|k|z)?sh$|^busybox$|^(?:python|pypy|perl|ruby|php|lua|node|deno|bun|java|dotnet|mono|guile|tclsh|Rscript|R|erl|beam|escript|elixir)(?:js|\.smp|jit)?[\d.]*$/;

/** @throws OciError EIF_OCI_PROGRAM, EIF_OCI_CLOSURE; EifBuildError EIF_BUILD_ELF */
export async function closureOf(files: ImageFiles, options: ClosureOptions): Promise<Closure> {
  const collector = new Collector(files, options.architecture);
  for (const program of options.programs) await collector.addProgram(program, options.keep);
  for (const path of ALWAYS) collector.add(files.find(path));
  for (const path of await files.list('/etc'))
    if (MUSL_CONFIGURATION.test(`/etc/${path}`)) collector.add(files.find(`/etc/${path}`));
  for (const pattern of options.keep) await collector.keep(pattern);
  return { nodes: collector.nodes(), missing: collector.missing };
}

class Collector {
  readonly missing: string[] = [];
  readonly #files: ImageFiles;
  readonly #architecture: Architecture;
  readonly #paths = new Set<string>();
  /** Folders that were added with all below them. */
  readonly #whole = new Set<string>();

  constructor(files: ImageFiles, architecture: Architecture) {
    this.#files = files;
    this.#architecture = architecture;
  }

  async addProgram(program: ProgramOfImage, keep: readonly string[]): Promise<void> {
    const found = await findProgram(this.#files, program, this.#architecture);
    if (keep.length === 0) refuseInterpreter(program, found);
    for (const file of found.files) this.add(file);
    const folder = this.#files.find(program.workingFolder);
    if (folder !== undefined) this.#addPlace(folder);
    const last = found.files.at(-1);
    if (last === undefined) return;
    const loading = this.#loading(program.environment['LD_LIBRARY_PATH'] ?? '');
    if (found.elf.interpreter !== undefined) this.add(this.#files.find(found.elf.interpreter));
    const libraries = await librariesOf(last, found.elf, loading);
    if (libraries.missing.length > 0) {
      throw new OciError('EIF_OCI_CLOSURE', `program ${program.name} needs libraries that are not in the image`, {
        found: libraries.missing.join('; '),
      });
    }
    for (const library of libraries.found) this.add(library);
  }

  /** A file with the links on the way, or a folder with all below it and what links there lead to. */
  add(found: Found | undefined): void {
    if (found === undefined) return;
    this.#addPlace(found);
    if (found.node.kind !== 'folder' || this.#whole.has(found.path)) return;
    this.#whole.add(found.path);
    for (const { path, node } of walk(found.node, found.path === '' ? '' : `${found.path}/`)) {
      this.#paths.add(path);
      if (node.kind === 'symlink') this.add(this.#files.find(path));
    }
  }

  /** @throws OciError EIF_OCI_CLOSURE when there is nothing of the kind */
  async keep(pattern: string): Promise<void> {
    const isMeant = pathPattern(pattern);
    const before = new Set(this.#paths);
    let matches = 0;
    for (const { path } of walk(this.#files.root)) {
      if (!isMeant(`/${path}`)) continue;
      matches += 1;
      this.#paths.add(path);
      this.add(this.#files.find(path));
    }
    if (matches === 0) throw new OciError('EIF_OCI_CLOSURE', `keep names nothing in the image: ${pattern}`);
    for (const path of this.#paths) if (!before.has(path)) await this.#addNeeds(path);
  }

  /** What a kept program or library needs; it may be one that is never loaded. */
  async #addNeeds(path: string): Promise<void> {
    const file = this.#files.findFile(path);
    const elf = file === undefined ? undefined : await this.#elfOf(file);
    if (file === undefined || elf === undefined) return;
    if (elf.interpreter !== undefined) this.add(this.#files.find(elf.interpreter));
    const { found, missing } = await librariesOf(file, elf, this.#loading(''));
    for (const library of found) this.add(library);
    this.missing.push(...missing);
  }

  async #elfOf(file: FoundFile) {
    const elf = await this.#files.elf(file).catch(() => undefined);
    return elf === undefined || (elf.interpreter === undefined && elf.needed.length === 0) ? undefined : elf;
  }

  #loading(libraryPath: string): Loading {
    return { files: this.#files, architecture: this.#architecture, libraryPath };
  }

  /** Itself, with the links on the way. */
  #addPlace({ links, path }: Found): void {
    for (const link of links) this.#paths.add(link);
    if (path !== '') this.#paths.add(path);
  }

  /** With the folders above, as they are in the image. */
  nodes(): readonly PlacedNode[] {
    const all = new Set(this.#paths);
    for (const path of this.#paths) {
      for (let above = posix.dirname(path); above !== '.'; above = posix.dirname(above)) all.add(above);
    }
    return [...walk(this.#files.root)].filter(({ path }) => all.has(path));
  }
}

function refuseInterpreter({ name }: ProgramOfImage, { files }: FoundProgram): void {
  const [last] = files.slice(-1);
  const isScript = files.length > 1;
  const called = files.flatMap(({ path, links }) => [path, ...links]).map((path) => posix.basename(path));
  if (last === undefined || !(isScript || called.some((each) => INTERPRETERS.test(each)))) return;
  const what = isScript ? 'is a script' : 'is run by an interpreter';
  throw new OciError('EIF_OCI_CLOSURE', `program ${name} ${what}: what it loads cannot be seen from outside`, {
    found: namedSome(files.map(({ path }) => path)),
    allowed: 'application.keep in image.yaml with the folders of its language and its own, or the whole image',
  });
}
