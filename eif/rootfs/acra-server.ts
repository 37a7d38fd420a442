/**
 * acra-server in the image: the program with all its libraries and its own loader in one folder, so that it depends on
 * nothing of the rest, and the description by which the supervisor starts it. The stand-in comes in only when asked for.
 */
import { join } from 'node:path';
import { ACRA_FOLDER, ACRA_PROGRAM_PATH, NODE_PATH } from '../../wire/image-layout.ts';
import { EifBuildError } from '../build-errors.ts';
import type { FileSource, SizedPieces } from '../cpio/manifest.ts';
import type { Architecture } from '../format/header.ts';
import { type Bundle, bundlePrograms } from './bundle.ts';
import { FILE_MODE, PROGRAM_MODE, type RootfsFile } from './content.ts';
import { findLibraries, type Libraries } from './libraries.ts';
import { loadedPart } from './loaded-part.ts';
import { configuredFolders } from './loader-folders.ts';

/** Key of acra-server in the bill of materials. */
export const ACRA_COMPONENT = 'acra-server';

/** What acra/obtain found: the fields of its AcraProgram that matter here. */
export interface AcraServerSource {
  readonly kind: 'path' | 'image' | 'stand-in';
  /** What is executed: acra-server itself, or the loader of the official image. */
  readonly program: string;
  readonly leadingArguments: readonly string[];
  /** Folders of the official image with libraries, separated by colons. */
  readonly libraryPath?: string;
  /** Hex, of acra-server itself (of the stand-in: of its main file). */
  readonly sha256: string;
}

export interface AcraServerOptions {
  readonly source: AcraServerSource;
  readonly allowStandIn: boolean;
  readonly architecture: Architecture;
  /** The folder with our sources, for the stand-in. */
  readonly projectFolder: string;
  /** Source file of the stand-in, relative to the project. */
  readonly standInEntry: string;
  /** Gets the bundle of the stand-in; read when the image is written. */
  readonly workFolder: string;
}

const PROGRAM_NAME = `${ACRA_FOLDER}/acra-server`;
const LIBRARY_FOLDER = `${ACRA_FOLDER}/lib`;
/** acra-server runs where the image is built, so its libraries are this machine's. */
const THIS_SYSTEM = '/';

const DESCRIPTIONS: Readonly<Record<AcraServerSource['kind'], string>> = {
  path: 'acra-server of the image builder',
  image: 'acra-server of the official image',
  'stand-in': 'the stand-in for acra-server: for trying things out, not for protecting data',
};

/**
 * @throws EifBuildError EIF_BUILD_STAND_IN, EIF_BUILD_ELF, EIF_BUILD_LIBRARY_MISSING, EIF_BUILD_BUNDLE; when the files are
 * read, EIF_BUILD_ACRA_SERVER
 */
export async function acraServer(options: AcraServerOptions): Promise<Bundle> {
  if (options.source.kind !== 'stand-in') return realAcraServer(options);
  if (options.allowStandIn) return standIn(options);
  throw new EifBuildError('EIF_BUILD_STAND_IN', 'no acra-server was found but the stand-in');
}

async function realAcraServer({ source, architecture }: AcraServerOptions): Promise<Bundle> {
  const program = source.leadingArguments.at(-1) ?? source.program;
  const found = await findLibraries([program], {
    architecture,
    system: THIS_SYSTEM,
    firstFolders: (source.libraryPath ?? '').split(':').filter(Boolean),
    configuredFolders: await configuredFolders(THIS_SYSTEM),
    followsRunpath: true,
  });
  const loader = source.leadingArguments.length > 0 ? source.program : found.interpreter;
  const file = (name: string, mode: number, from: FileSource): RootfsFile => ({
    name,
    mode,
    source: from,
    component: ACRA_COMPONENT,
  });
  const loaderName = `${LIBRARY_FOLDER}/${(found.interpreter ?? '').split('/').at(-1)}`;
  const files = [
    file(PROGRAM_NAME, PROGRAM_MODE, await unchangedProgram(source, program)),
    ...(loader === undefined ? [] : [file(loaderName, PROGRAM_MODE, { path: loader })]),
    ...found.libraries.map(({ name, source: path }) => file(`${LIBRARY_FOLDER}/${name}`, FILE_MODE, { path })),
    describe(source, commandOf(found, loaderName)),
  ];
  return { files, packages: [] };
}

/**
 * What was found when acra-server was looked for must be what goes into the image. That is known when it has been read: the
 * pieces end with EIF_BUILD_ACRA_SERVER then, and so does the image.
 */
async function unchangedProgram({ sha256 }: AcraServerSource, program: string): Promise<SizedPieces> {
  const { source, originalSha256 } = await loadedPart(program);
  async function* pieces(): AsyncGenerator<Buffer, void> {
    yield* source.pieces;
    const found = await originalSha256;
    if (found === sha256) return;
    throw new EifBuildError('EIF_BUILD_ACRA_SERVER', `${program} changed while the image was built`, {
      found: `sha256 ${found}`,
      allowed: `sha256 ${sha256}`,
    });
  }
  return { size: source.size, pieces: pieces() };
}

interface Command {
  readonly program: string;
  readonly leadingArguments: readonly string[];
  readonly libraryPath?: string;
}

function commandOf({ interpreter }: Libraries, loaderName: string): Command {
  if (interpreter === undefined) return { program: `/${PROGRAM_NAME}`, leadingArguments: [] };
  const libraryPath = `/${LIBRARY_FOLDER}`;
  return {
    program: `/${loaderName}`,
    leadingArguments: ['--inhibit-cache', '--library-path', libraryPath, `/${PROGRAM_NAME}`],
    libraryPath,
  };
}

function describe({ kind, sha256 }: AcraServerSource, command: Command): RootfsFile {
  const description = `${DESCRIPTIONS[kind]} (sha256 ${sha256.slice(0, 12)}…)`;
  const text = `${JSON.stringify({ kind, ...command, sha256, description }, null, 2)}\n`;
  return { name: ACRA_PROGRAM_PATH, mode: FILE_MODE, source: { bytes: Buffer.from(text) }, component: ACRA_COMPONENT };
}

async function standIn({ source, projectFolder, standInEntry, workFolder }: AcraServerOptions): Promise<Bundle> {
  const name = 'stand-in.mjs';
  const into = ACRA_FOLDER;
  const bundle = await bundlePrograms({ projectFolder, entry: standInEntry, name, into, forbidden: [], workFolder });
  const command = { program: `/${NODE_PATH}`, leadingArguments: [join('/', ACRA_FOLDER, name)] };
  return { files: [...bundle.files, describe(source, command)], packages: bundle.packages };
}
