/**
 * Built once: a tool is kept under the hash of what goes into it, outside the checkout, and compared with what was built
 * whenever it is asked for. Of several processes that ask at once, one builds and the others wait.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { sha256OfFile } from '../../../eif/bom/file-digest.ts';
import { errorCode } from '../../../runtime/errors.ts';
import { VmToolError } from './errors.ts';
import { withFileLock } from './file-lock.ts';
import { runToolRecipe, type ToolContext } from './recipe.ts';

const RECORD_NAME = 'tool.json';
const KEY_LENGTH = 24;

export interface ToolRecipe {
  readonly name: string;
  /** In scripts/; called with `args` and the folder to make. */
  readonly script: string;
  readonly args: readonly string[];
  /** What decides about the result beside the script and its arguments: versions, compiler, digests. */
  readonly inputs: Readonly<Record<string, string>>;
  /** What it makes, relative to that folder. */
  readonly files: readonly string[];
}

const recordSchema = z.strictObject({
  inputs: z.record(z.string(), z.string()),
  /** SHA-256 of each file, as hex. */
  files: z.record(z.string(), z.string()),
});
type ToolRecord = z.infer<typeof recordSchema>;

/**
 * The folder with the tool's files.
 * @throws VmToolError VM_TOOL_SOURCE, VM_TOOL_BUILD, VM_TOOL_CHANGED; the signal's reason
 */
export async function cachedTool(recipe: ToolRecipe, context: ToolContext): Promise<string> {
  const script = join(context.projectFolder, 'scripts', recipe.script);
  const inputs = { ...recipe.inputs, arguments: recipe.args.join(' '), recipe: await sha256OfFile(script) };
  const key = createHash('sha256').update(JSON.stringify(inputs)).digest('hex').slice(0, KEY_LENGTH);
  const folder = join(context.cacheFolder, `${recipe.name}-${key}`);
  if (await isBuilt(folder, recipe)) return folder;
  await mkdir(context.cacheFolder, { recursive: true });
  const lock = join(context.cacheFolder, `${recipe.name}.lock`);
  const onWait = (): void => context.onProgress(`${recipe.name}: waiting for another process that builds it`);
  await withFileLock(lock, context.signal, onWait, async () => {
    if (await isBuilt(folder, recipe)) return;
    await removeAbandoned(recipe, context);
    await build(recipe, script, inputs, folder, context);
  });
  return folder;
}

/** @throws VmToolError VM_TOOL_CHANGED */
async function isBuilt(folder: string, { files }: ToolRecipe): Promise<boolean> {
  const record = await readRecord(folder);
  if (record === undefined) return false;
  for (const name of files) {
    const path = join(folder, name);
    const found = await sha256OfFile(path).catch(() => 'no such file');
    const allowed = record.files[name] ?? 'not recorded';
    if (found !== allowed) {
      throw new VmToolError('VM_TOOL_CHANGED', `${path} is not what was built`, { found, allowed });
    }
  }
  return true;
}

async function readRecord(folder: string): Promise<ToolRecord | undefined> {
  try {
    return recordSchema.parse(JSON.parse(await readFile(join(folder, RECORD_NAME), 'utf8')));
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return undefined;
    throw new VmToolError('VM_TOOL_CHANGED', `${folder} holds a damaged ${RECORD_NAME}`, { cause });
  }
}

/** What a build left that was killed; whoever holds the lock is alone. */
async function removeAbandoned({ name }: ToolRecipe, { cacheFolder }: ToolContext): Promise<void> {
  const isAbandoned = (entry: string): boolean =>
    entry.startsWith(`${name}-build.`) || (entry.startsWith(`${name}-`) && entry.includes('.partial'));
  for (const entry of (await readdir(cacheFolder)).filter(isAbandoned)) {
    await rm(join(cacheFolder, entry), { recursive: true, force: true });
  }
}

async function build(
  { name, args, files }: ToolRecipe,
  script: string,
  inputs: ToolRecord['inputs'],
  folder: string,
  context: ToolContext,
): Promise<void> {
  const partial = `${folder}.${process.pid}.partial`;
  try {
    await runToolRecipe({ name, script, args: [...args, partial] }, context);
    const digests = await Promise.all(files.map((file) => digestOfMade(name, partial, file)));
    const record: ToolRecord = { inputs, files: Object.fromEntries(digests) };
    await writeFile(join(partial, RECORD_NAME), `${JSON.stringify(record, null, 2)}\n`);
    await rm(folder, { recursive: true, force: true });
    await rename(partial, folder);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

async function digestOfMade(tool: string, folder: string, file: string): Promise<[string, string]> {
  try {
    return [file, await sha256OfFile(join(folder, file))];
  } catch (cause) {
    throw new VmToolError('VM_TOOL_BUILD', `the recipe of ${tool} made no ${file}`, { cause });
  }
}
