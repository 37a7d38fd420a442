/** Differences between images, as lines for people and as JSON for programs. */
import type { Difference } from '../../eif/difference.ts';
import { harmlessText } from '../../runtime/harmless-text.ts';
import { printLine } from '../output.ts';

export function differencesJson(differences: readonly Difference[]) {
  return differences.map((each) => ({ ...each, a: each.a ?? null, b: each.b ?? null }));
}

export function printDifferences(differences: readonly Difference[]): void {
  for (const { section, entry, field, a: before, b: after } of differences) {
    const place = [section, entry, field].filter((part) => part !== undefined).join(' ');
    printLine(harmlessText(`${place}: ${before ?? 'nothing'} → ${after ?? 'nothing'}`));
  }
}
