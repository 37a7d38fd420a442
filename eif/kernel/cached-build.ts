/**
 * Built once: what a recipe makes is kept under the hash of what goes into it, outside the checkout, and compared with what
 * was built whenever it is asked for. Of several processes that ask at once, one builds and the others wait.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type ErrorDetails, errorCode } from '../../runtime/errors.ts';
import { sha256OfFile } from '../../system/files/file-digest.ts';
import { withFileLock } from './file-lock.ts';
import { type ExplainFailure, type Recipe, type RecipeContext, runRecipe } from './recipe-process.ts';

const KEY_LENGTH = 24;

/** `args` are followed by the folder to make; names of what is unfinished start with `name`. */
export interface CachedRecipe extends Recipe {
  /** What decides about the result. */
  readonly inputs: Readonly<Record<string, string>>;
  /** What it makes, relative to that folder. */
  readonly files: readonly string[];
}

/** How a kind of build names its record and tells its failures. */
export interface BuildKind {
  readonly recordName: string;
  readonly explain: ExplainFailure;
  readonly changed: (message: string, details: ErrorDetails) => Error;
}

const recordSchema = z.strictObject({
  inputs: z.record(z.string(), z.string()),
  /** SHA-256 of each file, as hex. */
  files: z.record(z.string(), z.string()),
});
type BuildRecord = z.infer<typeof recordSchema>;

/**
 * @returns the folder with the files
 * @throws what the kind's functions return; the signal's reason
 */
export async function cachedBuild(recipe: CachedRecipe, context: RecipeContext, kind: BuildKind): Promise<string> {
  const { name, inputs } = recipe;
  const key = createHash('sha256').update(JSON.stringify(inputs)).digest('hex').slice(0, KEY_LENGTH);
  const folder = join(context.cacheFolder, `${name}-${key}`);
  if (await isBuilt(folder, recipe, kind)) return folder;
  await mkdir(context.cacheFolder, { recursive: true });
  const onWait = (): void => context.onProgress(`${name}: waiting for another process that builds it`);
  await withFileLock(join(context.cacheFolder, `${name}.lock`), context.signal, onWait, async () => {
    if (await isBuilt(folder, recipe, kind)) return;
    await removeAbandoned(name, context.cacheFolder);
    await build(folder, recipe, context, kind);
  });
  return folder;
}

async function isBuilt(folder: string, { files }: CachedRecipe, kind: BuildKind): Promise<boolean> {
  const record = await readRecord(folder, kind);
  if (record === undefined) return false;
  for (const name of files) {
    const path = join(folder, name);
    const found = await sha256OfFile(path).catch(() => 'no such file');
    const allowed = record.files[name] ?? 'not recorded';
    if (found !== allowed) throw kind.changed(`${path} is not what was built`, { found, allowed });
  }
  return true;
}

async function readRecord(folder: string, { recordName, changed }: BuildKind): Promise<BuildRecord | undefined> {
  try {
    return recordSchema.parse(JSON.parse(await readFile(join(folder, recordName), 'utf8')));
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return undefined;
    throw changed(`${folder} holds a damaged ${recordName}`, { cause });
  }
}

/** What a build left that was killed; whoever holds the lock is alone. */
async function removeAbandoned(name: string, cacheFolder: string): Promise<void> {
  const isAbandoned = (entry: string): boolean =>
    entry.startsWith(`${name}-build.`) || (entry.startsWith(`${name}-`) && entry.includes('.partial'));
  for (const entry of (await readdir(cacheFolder)).filter(isAbandoned)) {
    await rm(join(cacheFolder, entry), { recursive: true, force: true });
  }
}

async function build(folder: string, recipe: CachedRecipe, context: RecipeContext, kind: BuildKind): Promise<void> {
  const partial = `${folder}.${process.pid}.partial`;
  try {
    await runRecipe({ ...recipe, args: [...recipe.args, partial] }, context, kind.explain);
    const digests = await Promise.all(recipe.files.map((file) => digestOfMade(partial, file, kind)));
    const record: BuildRecord = { inputs: recipe.inputs, files: Object.fromEntries(digests) };
    await writeFile(join(partial, kind.recordName), `${JSON.stringify(record, null, 2)}\n`);
    await rm(folder, { recursive: true, force: true });
    await rename(partial, folder);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

async function digestOfMade(folder: string, file: string, { explain }: BuildKind): Promise<[string, string]> {
  const sha256 = await sha256OfFile(join(folder, file)).catch(() => undefined);
  if (sha256 === undefined) throw explain('no-build', `the recipe made no ${file}`);
  return [file, sha256];
}
