/** `acra pull`: brings the official image of acra-server into the cache, and locks it there. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AcraError } from '../errors.ts';
import { readElfFacts } from './elf.ts';
import type { ImageTool } from './fetch-image.ts';
import { fetchImage, findImageTools } from './fetch-image.ts';
import type { ImageSource, ReadImage } from './image.ts';
import { readImage } from './image.ts';
import type { ImageFile } from './image-tree.ts';
import { cachedProgram } from './locate.ts';
import type { AcraLock } from './lock.ts';
import { isPresent, lockFile, readLock, treeFolder, writeLock } from './lock.ts';
import type { AcraProgram } from './program.ts';
import { ACRA_IMAGE } from './program.ts';

export interface PullOptions {
  readonly cacheFolder: string;
  /** For the tools: PATH, HOME, proxies, credentials. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** One line for people at each step. */
  readonly onProgress?: (step: string) => void;
  /** `sha256:…` that the image must have, of its manifest or its configuration; without it the lock file decides. */
  readonly digest?: string;
  /** Default: those on the PATH. */
  readonly tools?: readonly ImageTool[];
}

/** Cossack Labs publish no digests, so an image that nobody has vouched for is trusted when it first comes, and told so. */
type Trust = 'digest' | 'lock' | 'first-use';

export interface PulledAcra {
  readonly program: AcraProgram;
  readonly trust: Trust;
  readonly configDigest: string;
  readonly manifestDigest: string | undefined;
}

const PROGRAM = 'acra-server';

function lockOf(image: ReadImage, files: readonly ImageFile[]): AcraLock {
  const program = image.tree.resolve(PROGRAM);
  if (program === undefined) throw new AcraError('ACRA_IMAGE_INVALID', `the image has no /${PROGRAM}`);
  const { architecture, interpreter } = readElfFacts(program.content);
  if (architecture !== process.arch) {
    const details = { found: architecture ?? 'another processor', allowed: process.arch };
    throw new AcraError('ACRA_IMAGE_ARCHITECTURE', 'acra-server in the image cannot run here', details);
  }
  const loader = interpreter === undefined ? undefined : image.tree.resolve(interpreter);
  if (interpreter !== undefined && loader === undefined) {
    throw new AcraError('ACRA_IMAGE_INVALID', `the image lacks the interpreter ${interpreter}`);
  }
  const libraries = files.filter(({ path }) => /\.so(\.|$)/.test(path));
  const folders = libraries.map(({ path }) => (path.includes('/') ? dirname(path) : ''));
  return {
    version: 1,
    image: ACRA_IMAGE,
    configDigest: image.configDigest,
    layerDigests: [...image.layerDigests],
    program: program.path,
    ...(loader === undefined ? {} : { interpreter: loader.path }),
    libraryFolders: [...new Set(folders)],
    files: Object.fromEntries(
      files.map(({ path, content }) => [path, createHash('sha256').update(content).digest('hex')]),
    ),
  };
}

/** @throws AcraError ACRA_IMAGE_DIGEST, ACRA_IMAGE_CHANGED, ACRA_LOCK_INVALID */
async function requireTrusted(options: PullOptions, image: ReadImage, fresh: AcraLock): Promise<Trust> {
  const { digest, cacheFolder } = options;
  const digests = [image.manifestDigest ?? [], image.configDigest].flat();
  if (digest !== undefined && !digests.includes(digest)) {
    throw new AcraError('ACRA_IMAGE_DIGEST', `${ACRA_IMAGE} is not the image that was asked for`, {
      found: digests.join(' (manifest), '),
      allowed: digest,
    });
  }
  const old = await readLock(cacheFolder);
  if (old !== undefined && JSON.stringify(old) !== JSON.stringify(fresh)) {
    throw new AcraError('ACRA_IMAGE_CHANGED', `${ACRA_IMAGE} is not the image that ${lockFile(cacheFolder)} records`, {
      found: fresh.configDigest,
      allowed: old.configDigest,
    });
  }
  if (digest !== undefined) return 'digest';
  return old === undefined ? 'first-use' : 'lock';
}

async function writeTree(root: string, files: readonly ImageFile[]): Promise<void> {
  for (const { path, content, executable } of files) {
    const file = join(root, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content, { flag: 'wx', mode: executable ? 0o755 : 0o644 });
  }
}

/** Puts the finished tree in place in one step; an older one goes only after that. */
async function install(fresh: string, cacheFolder: string): Promise<void> {
  const final = treeFolder(cacheFolder);
  const old = `${fresh}.old`;
  if (await isPresent(final)) await rename(final, old);
  await rename(fresh, final);
  await rm(old, { recursive: true, force: true });
}

/** The first tool that works; when none does, the reasons of all. */
async function fetchWithAny(tools: readonly ImageTool[], work: string, options: PullOptions): Promise<ImageSource> {
  const errors: unknown[] = [];
  for (const tool of tools) {
    options.onProgress?.(`fetching ${ACRA_IMAGE} with ${tool.name}`);
    const folder = join(work, tool.name);
    await mkdir(folder);
    try {
      return await fetchImage(tool, { folder, environment: options.environment, signal: options.signal });
    } catch (error) {
      options.signal.throwIfAborted();
      errors.push(error);
    }
  }
  if (errors.length === 0) throw new AcraError('ACRA_PULL_TOOL_MISSING', 'neither skopeo, podman nor docker was found');
  const messages = errors.map((error) => (error instanceof Error ? error.message : String(error)));
  throw new AcraError('ACRA_PULL_FAILED', messages.join('\n'), { cause: new AggregateError(errors) });
}

async function pullInto(work: string, options: PullOptions): Promise<PulledAcra> {
  const tools = options.tools ?? (await findImageTools(options.environment));
  const source = await fetchWithAny(tools, work, options);
  options.onProgress?.('checking the digests');
  const image = await readImage(source);
  const files = image.tree.files();
  const lock = lockOf(image, files);
  const trust = await requireTrusted(options, image, lock);
  options.onProgress?.(`unpacking ${files.length} files`);
  const tree = join(work, 'tree');
  await writeTree(tree, files);
  await writeLock(options.cacheFolder, lock);
  await install(tree, options.cacheFolder);
  const program = await cachedProgram(options.cacheFolder);
  if (program === undefined) throw new AcraError('ACRA_CACHE_CHANGED', 'the cache vanished while it was filled');
  const { configDigest, manifestDigest } = image;
  return { program, trust, configDigest, manifestDigest };
}

/**
 * The image is identified by the digests of its configuration and layers, recorded at the first pull and demanded at
 * every later one. Nothing is left behind when it fails.
 * @throws AcraError ACRA_PULL_TOOL_MISSING, ACRA_PULL_FAILED, ACRA_IMAGE_*, ACRA_LOCK_INVALID; the signal's reason
 */
export async function pullAcraServer(options: PullOptions): Promise<PulledAcra> {
  const work = join(options.cacheFolder, `.pull-${randomBytes(6).toString('hex')}`);
  await mkdir(work, { recursive: true });
  try {
    return await pullInto(work, options);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
