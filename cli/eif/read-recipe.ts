/** Reads image.yaml and makes its paths absolute; without a file, the defaults. */
import { dirname, resolve } from 'node:path';
import { loadConfig } from '../../config/load.ts';
import { type ImageRecipe, recipeSchema } from '../../eif/image/recipe.ts';

/** @throws ConfigError CONFIG_FILE_READ, CONFIG_SYNTAX, CONFIG_INVALID */
export function readRecipe(file: string | undefined): ImageRecipe {
  if (file === undefined) return recipeSchema.parse({ version: 1 });
  const recipe = loadConfig(recipeSchema, resolve(file));
  const at = (path: string): string => resolve(dirname(file), path);
  return { ...recipe, libraries: at(recipe.libraries), kernel: locateKernel(recipe.kernel, at) };
}

function locateKernel(kernel: ImageRecipe['kernel'], at: (path: string) => string): ImageRecipe['kernel'] {
  if ('aws-blobs' in kernel) return { 'aws-blobs': at(kernel['aws-blobs']) };
  return 'file' in kernel ? { file: at(kernel.file) } : kernel;
}
