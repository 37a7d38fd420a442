/** What became of each line of the manifest, for people and as JSON. */
import { harmlessText } from '../../runtime/harmless-text.ts';
import { bold, dim, green, printLine, yellow } from '../output.ts';
import { type Change, type Outcome, placeText } from './change.ts';

const MARKS: Readonly<Record<Outcome, (text: string) => string>> = {
  kept: green,
  changed: green,
  dropped: dim,
  decide: yellow,
};
const WORDS: Readonly<Record<Outcome, string>> = {
  kept: 'kept',
  changed: 'changed',
  dropped: 'dropped',
  decide: 'to decide',
};

const foundText = (found: unknown) => (found === undefined ? '' : `: ${harmlessText(String(found))}`);

export function printChanges(changes: readonly Change[]): void {
  for (const { field, found, outcome, becomes, places, why } of changes) {
    printLine(`${MARKS[outcome](WORDS[outcome])} ${bold(harmlessText(field))}${foundText(found)}`);
    const now = becomes === undefined ? '' : `: ${becomes}`;
    for (const place of places) printLine(`  → ${harmlessText(`${placeText(place)}${now}`)}`);
    printLine(`  ${harmlessText(why)}`);
  }
}

export function changesJson(changes: readonly Change[]) {
  return changes.map(({ field, found, outcome, becomes, places, why }) => ({
    field,
    found: found ?? null,
    outcome,
    becomes: becomes ?? null,
    places: places.map(({ file, path }) => ({ file, path: path.join('.') })),
    why,
  }));
}
