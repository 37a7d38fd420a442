/**
 * Has skopeo bring an image out of a registry into a folder, as the registry has it: skopeo knows about registries, proxies, credentials
 * and retries. What it brings is not trusted but checked. A name is asked for each time; what it means is fetched once.
 * Specification: containers-transports(5), `dir:`; OCI distribution-spec 1.1, "Pulling manifests".
 */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../../../runtime/errors.ts';
import type { Architecture } from '../../format/header.ts';
import { OciError } from '../errors.ts';
import { readBlob } from './blob.ts';
import { digestOf, indexSchema, MAX_DOCUMENT_BYTES } from './documents.ts';
import { CONTAINER_ARCHITECTURES, type ContainerImage } from './image.ts';
import { repositoryOf } from './image-name.ts';
import { openManifest } from './layout.ts';

export interface RegistryContext {
  readonly architecture: Architecture;
  /** Keeps what was fetched. */
  readonly cacheFolder: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly onProgress: (step: string) => void;
}

/** The end of what skopeo said. */
const KEPT_CHARACTERS = 2_000;
const MANIFEST = 'manifest.json';

/** @throws OciError EIF_OCI_SKOPEO_MISSING, EIF_OCI_FETCH, EIF_OCI_DIGEST and those of reading; the signal's reason */
export async function openFromRegistry(reference: string, context: RegistryContext): Promise<ContainerImage> {
  const { architecture, cacheFolder, onProgress } = context;
  onProgress(`asking for ${reference}`);
  const named = await skopeo(['inspect', '--raw', '--no-tags', `docker://${reference}`], context);
  const digest = digestOf(named);
  const folder = join(cacheFolder, `${digest.replace(':', '-')}-${architecture}`);
  await fetchOnce(`${repositoryOf(reference)}@${digest}`, folder, context);
  const manifest = await readBlob(
    { path: join(folder, MANIFEST), digest: undefined, size: undefined },
    MAX_DOCUMENT_BYTES,
  );
  requireNamed(named, digestOf(manifest), reference);
  return openManifest(manifest, (blob) => join(folder, blob.replace('sha256:', '')), architecture);
}

async function fetchOnce(reference: string, folder: string, context: RegistryContext): Promise<void> {
  const { architecture, cacheFolder, onProgress } = context;
  if (await isThere(join(folder, MANIFEST))) return;
  await mkdir(cacheFolder, { recursive: true });
  const coming = await mkdtemp(join(cacheFolder, '.coming-'));
  try {
    onProgress(`fetching ${reference}`);
    const platform = ['--override-os', 'linux', '--override-arch', CONTAINER_ARCHITECTURES[architecture]];
    await skopeo([...platform, 'copy', '--quiet', `docker://${reference}`, `dir:${coming}`], context);
    // Another build may have been faster; what it brought is the same.
    await rename(coming, folder).catch(async (error: unknown) => {
      if (!(await isThere(join(folder, MANIFEST)))) throw error;
    });
  } finally {
    await rm(coming, { recursive: true, force: true });
  }
}

async function isThere(path: string): Promise<boolean> {
  return readFile(path).then(
    () => true,
    () => false,
  );
}

/** What was brought is what the name means: itself, or one of the images of an index. */
function requireNamed(named: Buffer, manifestDigest: string, reference: string): void {
  if (digestOf(named) === manifestDigest) return;
  const index = indexSchema.safeParse(JSON.parse(named.toString('utf8'))).data;
  if (index?.manifests.some(({ digest }) => digest === manifestDigest)) return;
  throw new OciError('EIF_OCI_DIGEST', `what was fetched is not ${reference}`, {
    found: manifestDigest,
    allowed: digestOf(named),
  });
}

function skopeo(words: readonly string[], { environment, signal }: RegistryContext): Promise<Buffer> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const child = spawn('skopeo', words, { stdio: ['ignore', 'pipe', 'pipe'], env: environment, signal });
    const output: Buffer[] = [];
    let said = '';
    let cause: unknown;
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => {
      said = (said + String(chunk)).slice(-KEPT_CHARACTERS);
    });
    child.on('error', (error) => {
      cause = error;
    });
    child.on('close', (code, killedBy) => {
      if (signal.aborted) return reject(signal.reason);
      if (code === 0) return resolve(Buffer.concat(output));
      if (errorCode(cause) === 'ENOENT')
        return reject(new OciError('EIF_OCI_SKOPEO_MISSING', 'skopeo is not installed'));
      const message = `skopeo failed (${killedBy ?? code}): ${said.trim()}`;
      reject(new OciError('EIF_OCI_FETCH', message, cause === undefined ? {} : { cause }));
    });
  });
}
