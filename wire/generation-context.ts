/**
 * The entry of KMS's encryption context that names the generation of a key set (docs/specs/key-sets.md, 1). Enclaves write it, key policies
 * demand it: the memory that an enclave lacks. Names of condition keys have no case, so no other name of a context may differ by that alone.
 */
export const GENERATION_CONTEXT = 'acra-enclave-generation';

export function generationContext(generation: number): Readonly<Record<typeof GENERATION_CONTEXT, string>> {
  return { [GENERATION_CONTEXT]: String(generation) };
}
