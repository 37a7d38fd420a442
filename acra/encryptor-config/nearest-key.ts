/** "Did you mean": the known key that a misspelt one most likely stands for. */

/** Edits (insert, delete, replace) between two words; row by row. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [index, character] of [...from].entries()) {
    const next = [index + 1];
    for (let column = 1; column <= to.length; column++) {
      const replaced = (row[column - 1] ?? 0) + (character === to[column - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}

/** Undefined when nothing is near: more than a third of the letters would change. */
export function nearestKey(wrong: string, known: readonly string[]): string | undefined {
  const word = wrong.slice(0, 64).toLowerCase().replaceAll('-', '_');
  const [best] = known.map((key) => ({ key, edits: distance(word, key) })).sort((a, b) => a.edits - b.edits);
  return best && best.edits <= Math.max(2, best.key.length / 3) ? best.key : undefined;
}
