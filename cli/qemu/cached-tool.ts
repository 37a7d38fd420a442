/** The tools of the virtual machine are built once and kept, each under the hash of what goes into it. */
import { join } from 'node:path';
import { type BuildKind, type CachedRecipe, cachedBuild } from '../../eif/kernel/cached-build.ts';
import type { RecipeContext } from '../../eif/kernel/recipe-process.ts';
import { sha256OfFile } from '../../system/files/file-digest.ts';
import { VmToolError } from './errors.ts';

export interface ToolContext extends RecipeContext {
  /** The folder with scripts/. */
  readonly projectFolder: string;
}

const kindOf = (name: string): BuildKind => ({
  recordName: 'tool.json',
  explain: (failure, output) =>
    failure === 'no-source'
      ? new VmToolError('VM_TOOL_SOURCE', `the source of ${name} is not on the mirror`, { found: output })
      : new VmToolError('VM_TOOL_BUILD', `${name} did not build:\n${output}`),
  changed: (message, details) => new VmToolError('VM_TOOL_CHANGED', message, details),
});

/**
 * @param recipe its script is the name of one in scripts/; script and arguments count among the inputs
 * @returns the folder with the tool's files
 * @throws VmToolError VM_TOOL_SOURCE, VM_TOOL_BUILD, VM_TOOL_CHANGED; the signal's reason
 */
export async function cachedTool(recipe: CachedRecipe, context: ToolContext): Promise<string> {
  const script = join(context.projectFolder, 'scripts', recipe.script);
  const inputs = { ...recipe.inputs, arguments: recipe.args.join(' '), recipe: await sha256OfFile(script) };
  return cachedBuild({ ...recipe, script, inputs }, context, kindOf(recipe.name));
}
