/**
 * Lets skopeo, podman or docker bring the image into a folder. They know about registries, proxies, credentials and
 * retries; what they bring is not trusted but checked (image.ts).
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access, readFile, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { AcraError } from '../errors.ts';
import type { ImageSource } from './image.ts';
import { MAX_IMAGE_BYTES } from './image.ts';
import { ACRA_IMAGE } from './program.ts';
import { readTar } from './tar.ts';

const TOOL_NAMES = ['skopeo', 'podman', 'docker'] as const;

export interface ImageTool {
  readonly name: (typeof TOOL_NAMES)[number];
  /** Absolute path. */
  readonly program: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

interface FetchContext {
  /** Empty, ours, removed by the caller. */
  readonly folder: string;
  readonly environment: Environment;
  readonly signal: AbortSignal;
}

const MAX_OUTPUT_BYTES = 16 * 1024;

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}

/** The tools that are on the PATH, best first: skopeo needs neither a daemon nor a store of images. */
export async function findImageTools(environment: Environment): Promise<ImageTool[]> {
  const folders = (environment['PATH'] ?? '').split(delimiter).filter(isAbsolute);
  const tools: ImageTool[] = [];
  for (const name of TOOL_NAMES) {
    for (const folder of folders) {
      const program = join(folder, name);
      if (!(await isExecutable(program))) continue;
      tools.push({ name, program });
      break;
    }
  }
  return tools;
}

/** Keeps the last bytes: where tools say what went wrong. */
function keepTail(tail: string, chunk: unknown): string {
  return (tail + String(chunk)).slice(-MAX_OUTPUT_BYTES);
}

function run(tool: ImageTool, args: readonly string[], context: FetchContext): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(tool.program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...context.environment },
      cwd: context.folder,
      signal: context.signal,
    });
    let [stdout, stderr] = ['', ''];
    let cause: unknown;
    child.stdout.on('data', (chunk) => {
      stdout = keepTail(stdout, chunk);
    });
    child.stderr.on('data', (chunk) => {
      stderr = keepTail(stderr, chunk);
    });
    child.on('error', (error) => {
      cause = error;
    });
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(stdout.trim());
      const message = `${tool.name} ${args[0]} failed (${signal ?? code}): ${stderr.trim().slice(-2000)}`;
      reject(new AcraError('ACRA_PULL_FAILED', message, cause === undefined ? {} : { cause }));
    });
  });
}

/** The blobs of a `dir:` image; names come from a checked manifest and have no slash in them. */
function folderSource(folder: string): ImageSource {
  return {
    async read(name) {
      const file = join(folder, name);
      const { size } = await stat(file);
      if (size > MAX_IMAGE_BYTES) throw new AcraError('ACRA_IMAGE_INVALID', `${name} is too large`);
      return readFile(file);
    },
  };
}

/** The members of a `docker save` archive, read without unpacking it. */
async function archiveSource(archive: Buffer): Promise<ImageSource> {
  const members = new Map<string, Buffer>();
  const links: [string, string][] = [];
  for (const { type, path, target, content } of await readTar(archive)) {
    if (type === 'file') members.set(path, content);
    else if (type === 'symlink') links.push([path, target]);
  }
  // Older releases of docker store a repeated layer as a link `../<id>/layer.tar`.
  for (const [path, target] of links) {
    const content = members.get(target.replace(/^\.\.\//, ''));
    if (content) members.set(path, content);
  }
  return {
    async read(name) {
      const content = members.get(name);
      if (content === undefined) throw new AcraError('ACRA_IMAGE_INVALID', `the image lacks ${name}`);
      return content;
    },
  };
}

async function fetchWithSkopeo(tool: ImageTool, context: FetchContext): Promise<ImageSource> {
  const folder = join(context.folder, 'image');
  await run(tool, ['copy', '--quiet', `docker://${ACRA_IMAGE}`, `dir:${folder}`], context);
  return folderSource(folder);
}

async function fetchWithPodman(tool: ImageTool, context: FetchContext): Promise<ImageSource> {
  const folder = join(context.folder, 'image');
  const pulled = await run(tool, ['pull', '--quiet', `docker://${ACRA_IMAGE}`], context);
  const id = pulled.split('\n').at(-1) ?? '';
  await run(tool, ['save', '--quiet', '--format', 'docker-dir', '--output', folder, id], context);
  return folderSource(folder);
}

async function fetchWithDocker(tool: ImageTool, context: FetchContext): Promise<ImageSource> {
  const file = join(context.folder, 'image.tar');
  await run(tool, ['pull', '--quiet', ACRA_IMAGE], context);
  await run(tool, ['save', '--output', file, ACRA_IMAGE], context);
  if ((await stat(file)).size > MAX_IMAGE_BYTES) throw new AcraError('ACRA_IMAGE_INVALID', 'the image is too large');
  return archiveSource(await readFile(file));
}

/** @throws AcraError ACRA_PULL_FAILED with the tool's own words, ACRA_IMAGE_INVALID; the signal's reason */
export async function fetchImage(tool: ImageTool, context: FetchContext): Promise<ImageSource> {
  try {
    if (tool.name === 'skopeo') return await fetchWithSkopeo(tool, context);
    return tool.name === 'podman' ? await fetchWithPodman(tool, context) : await fetchWithDocker(tool, context);
  } catch (error) {
    context.signal.throwIfAborted();
    throw error;
  }
}
