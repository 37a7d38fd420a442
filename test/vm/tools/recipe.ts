/** The recipes of the virtual machine's tools, and how their failures are told. */
import type { Recipe, RecipeContext } from '../../../eif/kernel/recipe-process.ts';
import { runRecipe } from '../../../eif/kernel/recipe-process.ts';
import { VmToolError } from './errors.ts';

export interface ToolContext extends RecipeContext {
  /** The folder with scripts/. */
  readonly projectFolder: string;
}

/** @throws VmToolError VM_TOOL_SOURCE, VM_TOOL_BUILD; the signal's reason */
export function runToolRecipe(recipe: Recipe, context: ToolContext): Promise<void> {
  const { name } = recipe;
  return runRecipe(recipe, context, (failure, output) =>
    failure === 'no-source'
      ? new VmToolError('VM_TOOL_SOURCE', `the source of ${name} is not on the mirror`, { found: output })
      : new VmToolError('VM_TOOL_BUILD', `${name} did not build:\n${output}`),
  );
}
