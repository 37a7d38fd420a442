/**
 * Finds the acra-server to run: the one that ACRA_SERVER names, else the official image in the cache, else the stand-in.
 * What was asked for but is unusable is an error; nothing is replaced by the next best thing silently.
 */
import { constants } from 'node:fs';
import { access, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256OfFile } from '../../system/files/file-digest.ts';
import { AcraError } from '../errors.ts';
import type { AcraLock } from './lock.ts';
import { isPresent, readLock, requireUnchanged, treeFolder } from './lock.ts';
import type { AcraProgram, ProgramCommand } from './program.ts';
import { ACRA_IMAGE } from './program.ts';

interface LocateOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly cacheFolder: string;
  /** Taken last; it protects nothing. */
  readonly standIn: ProgramCommand;
}

const short = (sha256: string) => sha256.slice(0, 12);

async function namedProgram(path: string): Promise<AcraProgram> {
  try {
    const program = await realpath(path);
    await access(program, constants.X_OK);
    if (!(await stat(program)).isFile()) throw new AcraError('ACRA_PROGRAM_UNUSABLE', 'it is no file');
    const sha256 = await sha256OfFile(program);
    const description = `${program}, named by ACRA_SERVER (sha256 ${short(sha256)}…)`;
    return { kind: 'path', program, leadingArguments: [], sha256, description };
  } catch (cause) {
    throw new AcraError('ACRA_PROGRAM_UNUSABLE', 'ACRA_SERVER names no usable program', { found: path, cause });
  }
}

/**
 * An image from scratch brings its own C library, so its program runs under its own ELF interpreter: the kernel would
 * look for that at its absolute path, and only root could put it there.
 */
function imageProgram(cacheFolder: string, lock: AcraLock): AcraProgram {
  const root = treeFolder(cacheFolder);
  const sha256 = lock.files[lock.program] ?? '';
  const program = join(root, lock.program);
  const description = `official image ${ACRA_IMAGE} (${lock.configDigest.slice(0, 19)}…), cached`;
  if (lock.interpreter === undefined) return { kind: 'image', program, leadingArguments: [], sha256, description };
  const libraryPath = lock.libraryFolders.map((folder) => join(root, folder)).join(':');
  return {
    kind: 'image',
    program: join(root, lock.interpreter),
    leadingArguments: ['--inhibit-cache', '--library-path', libraryPath, program],
    libraryPath,
    sha256,
    description,
  };
}

async function standInProgram({ program, args }: ProgramCommand): Promise<AcraProgram> {
  const description = 'the stand-in for acra-server: for trying things out, not for protecting data';
  const sha256 = await sha256OfFile(args[0] ?? program);
  return { kind: 'stand-in', program, leadingArguments: args, sha256, description };
}

/** The cached image after every file of it was compared with the lock file; undefined when none is cached. */
export async function cachedProgram(cacheFolder: string): Promise<AcraProgram | undefined> {
  if (!(await isPresent(treeFolder(cacheFolder)))) return undefined;
  const lock = await readLock(cacheFolder);
  if (lock === undefined) {
    throw new AcraError('ACRA_CACHE_CHANGED', `${treeFolder(cacheFolder)} has no lock file beside it`);
  }
  await requireUnchanged(cacheFolder, lock);
  return imageProgram(cacheFolder, lock);
}

/**
 * acra-server itself, where there is one; undefined: only the stand-in is left.
 * @throws AcraError ACRA_PROGRAM_UNUSABLE, ACRA_CACHE_CHANGED, ACRA_LOCK_INVALID
 */
export async function findAcraServer(options: Omit<LocateOptions, 'standIn'>): Promise<AcraProgram | undefined> {
  const named = options.environment['ACRA_SERVER'];
  if (named !== undefined && named !== '') return namedProgram(named);
  return cachedProgram(options.cacheFolder);
}

/** @throws AcraError as findAcraServer */
export async function locateAcraServer(options: LocateOptions): Promise<AcraProgram> {
  return (await findAcraServer(options)) ?? standInProgram(options.standIn);
}
