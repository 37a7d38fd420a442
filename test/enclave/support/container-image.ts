/**
 * A container image as those of other distributions are: programs of glibc with its libraries, as this system has them; others of musl, linked and
 * placed as in Alpine; accounts by name; and more than the programs need.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { containerApplication } from '../../../cli/eif/container-application.ts';
import { imagePrograms } from '../../../cli/eif/image-programs.ts';
import { hostArchitecture } from '../../../cli/eif/provide-kernel.ts';
import { readRecipe } from '../../../cli/eif/read-recipe.ts';
import { appEnclaveSchema } from '../../../config/app/app-enclave.ts';
import { programsYaml } from '../../../eif/oci/programs/section.ts';
import { writeLayout } from '../../eif/oci/support/layout.ts';
import type { TestEntry } from '../../eif/oci/support/tar.ts';
import { PROJECT } from '../../project/imports.ts';
import { writeApplication } from './app-machine.ts';
import type { BuiltImage } from './images.ts';
import { buildTestImage } from './images.ts';

const SOURCES = join(PROJECT, 'test/enclave/images/musl');
/** Where Debian's package musl-tools puts what it links with. */
const DEBIAN_MUSL = `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-musl`;
const ARCHITECTURE = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
const LOADER = `ld-musl-${ARCHITECTURE}.so.1`;
/** What programs of Alpine name. */
const MUSL = `libc.musl-${ARCHITECTURE}.so.1`;
const BUILD_MS = 600_000;

/** Whether this machine has a compiler for musl: `make test-vm` installs one. */
export function hasMusl(): boolean {
  return lstatSync(join(DEBIAN_MUSL, 'libc.so'), { throwIfNoEntry: false }) !== undefined;
}

/** As Alpine's compiler links: against musl by Alpine's name of it. */
function compile(folder: string, output: string, words: readonly string[]): void {
  const usual = ['-O1', '-fPIC', '-nodefaultlibs', `-L${folder}`, `-Wl,-rpath-link,${folder}`];
  const all = [...usual, '-o', join(folder, output), ...words, `-l:${MUSL}`];
  execFileSync('musl-gcc', all, { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Entries of a layer. */
function muslEntries(work: string): readonly TestEntry[] {
  mkdirSync(work);
  copyFileSync(join(DEBIAN_MUSL, 'libc.so'), join(work, MUSL));
  const source = (name: string) => join(SOURCES, name);
  compile(work, 'libname.so', ['-shared', source('name.c'), '-Wl,-soname,libname.so']);
  compile(work, 'libgreet.so', ['-shared', source('greet.c'), '-Wl,-soname,libgreet.so', '-lname']);
  compile(work, 'greeter', [source('greeter.c'), '-Wl,--enable-new-dtags,-rpath,$ORIGIN/lib', '-lgreet']);
  const program = (name: string, from: string): TestEntry => ({
    name,
    mode: 0o755,
    bytes: readFileSync(join(work, from)),
  });
  return [
    program(`lib/${LOADER}`, MUSL),
    { name: `lib/${MUSL}`, type: '2', target: LOADER },
    program('opt/greeter/greeter', 'greeter'),
    program('opt/greeter/lib/libgreet.so', 'libgreet.so'),
    program('opt/greeter/lib/libname.so', 'libname.so'),
  ];
}

function entriesOf(folder: string, above = ''): readonly TestEntry[] {
  return readdirSync(join(folder, above))
    .toSorted()
    .flatMap((each): readonly TestEntry[] => {
      const name = `${above}${each}`;
      const path = join(folder, name);
      const stats = lstatSync(path);
      const mode = stats.mode & 0o7777;
      if (stats.isDirectory()) return [{ name: `${name}/`, type: '5', mode: 0o755 }, ...entriesOf(folder, `${name}/`)];
      if (stats.isSymbolicLink()) return [{ name, type: '2', target: readlinkSync(path) }];
      return [{ name, mode, bytes: readFileSync(path) }];
    });
}

const ACCOUNTS: readonly TestEntry[] = [
  { name: 'etc/passwd', text: 'root:x:0:0::/root:/bin/sh\nweb:x:1234:2345::/srv:/bin/sh\n' },
  { name: 'etc/group', text: 'root:x:0:\nweb:x:2345:\n' },
];
/** Not for a closure. */
const MORE: readonly TestEntry[] = [
  { name: 'usr/share/doc/readme', text: 'nobody reads this' },
  { name: 'bin/su', mode: 0o4755, text: 'set-id' },
];

/** @returns the name of the image, for `--image` */
export async function writeContainerImage(root: string): Promise<string> {
  await writeApplication(join(root, 'files'));
  const layers = [
    [...ACCOUNTS, ...MORE, ...entriesOf(join(root, 'files'))],
    hasMusl() ? muslEntries(join(root, 'musl')) : [],
  ];
  const run = {
    Entrypoint: ['node', '/probe/probe.ts'],
    Env: ['PATH=/usr/local/bin:/usr/bin:/bin', 'GREETING=from the image'],
    User: 'web',
    WorkingDir: '/srv/data',
    StopSignal: 'SIGTERM',
    ExposedPorts: { '80/tcp': {} },
  };
  return `oci:${writeLayout(join(root, 'image'), { layers, form: 'gzip', run })}`;
}

interface ProgramSection {
  readonly command: readonly string[];
  readonly [name: string]: unknown;
}

/** What `acra-enclave eif programs` prints of it, as an operator pastes it. */
export async function programOf(image: string): Promise<ProgramSection> {
  const { defaults, configDigest } = await imagePrograms(image, AbortSignal.timeout(BUILD_MS));
  const { programs } = parse(programsYaml(defaults, configDigest)) as { programs: { app: ProgramSection } };
  return programs.app;
}

export interface ContainerImageRequest {
  readonly image: string;
  readonly enclaveFolder: string;
  /** Is made, and gets the image. */
  readonly outputFolder: string;
  /** Undefined: the whole image. */
  readonly closure?: { readonly keep: readonly string[] };
}

/** As `acra-enclave eif build --image` does. */
export async function buildContainerImage(request: ContainerImageRequest): Promise<BuiltImage> {
  const { image, enclaveFolder, outputFolder, closure } = request;
  mkdirSync(outputFolder);
  const recipe = join(outputFolder, 'image.yaml');
  writeFileSync(recipe, JSON.stringify({ version: 1, application: { image, keep: closure?.keep ?? [] } }));
  const workFolder = join(outputFolder, 'work');
  mkdirSync(workFolder);
  const application = await containerApplication({
    config: appEnclaveSchema.parse(parse(readFileSync(join(enclaveFolder, 'enclave.yaml'), 'utf8'))),
    image,
    closure: closure !== undefined,
    setuid: closure === undefined ? 'drop' : 'refuse',
    enclaveFolder,
    recipe: readRecipe(recipe),
    recipeFile: recipe,
    architecture: hostArchitecture(),
    workFolder,
    signal: AbortSignal.timeout(BUILD_MS),
  });
  return buildTestImage(enclaveFolder, outputFolder, { acraServer: undefined, application });
}
