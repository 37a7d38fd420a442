/**
 * Which key sets are brought, and in which order. Only of the newest generation, unless the enclave's measured configuration pins another
 * set: an older one lacks what was added since, so that it is never a substitute for one that does not open.
 */
import type { StoredKeySet } from './key-folder.ts';

/**
 * Of one generation there are two when a change was made again because its first set was never taken. The one that was taken goes first, as
 * data may be under its keys; else the one that was made last.
 * @param sets in the order of the folder
 * @param taken hash of the set that an enclave took last, as the audit log knows
 * @returns all sets, the one to be brought first
 */
export function inOrderOfBringing(
  sets: readonly StoredKeySet[],
  taken: string | undefined,
): readonly [StoredKeySet, ...StoredKeySet[]] | undefined {
  const isTaken = (set: StoredKeySet) => (set.sha256 === taken ? 1 : 0);
  const [first, ...others] = sets
    .toReversed()
    .toSorted((a, b) => b.generation - a.generation || isTaken(b) - isTaken(a));
  return first === undefined ? undefined : [first, ...others];
}

/** Generations of which there is more than one set. */
export function doubledGenerations(sets: readonly StoredKeySet[]): readonly number[] {
  const byGeneration = Map.groupBy(sets, ({ generation }) => generation);
  return [...byGeneration].filter(([, same]) => same.length > 1).map(([generation]) => generation);
}
