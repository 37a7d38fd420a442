/** What the real acra-server 0.96.0 made of the cases of value-cases.ts, as it is kept in test/vectors/acra. */
import { readFileSync } from 'node:fs';
import type { Outcomes } from './value-cases.ts';

export const VALUE_VECTORS = new URL('../../../vectors/acra/acra-0.96.0-values.json', import.meta.url);
export const PARTS = ['write', 'search', 'read'] as const;
type Part = (typeof PARTS)[number];

/** First parts of case names (columns, operators) by outcome, by the rest of the name: most columns do alike. */
type Grouped = Record<string, Record<string, string>>;

export function grouped(outcomes: Outcomes): Grouped {
  const groups: Grouped = {};
  for (const [name, outcome] of Object.entries(outcomes)) {
    const comma = name.indexOf(', ');
    const rest = name.slice(comma + 2);
    groups[rest] ??= {};
    const group = groups[rest];
    group[outcome] = [group[outcome], name.slice(0, comma)].filter(Boolean).join(' ');
  }
  return groups;
}

export function readVectors(): Record<Part, Outcomes> {
  const parts: Record<Part, Grouped> = JSON.parse(readFileSync(VALUE_VECTORS, 'utf8'));
  const flat = (groups: Grouped) =>
    Object.fromEntries(
      Object.entries(groups).flatMap(([rest, byOutcome]) =>
        Object.entries(byOutcome).flatMap(([outcome, firsts]) =>
          firsts.split(' ').map((first) => [`${first}, ${rest}`, outcome] as const),
        ),
      ),
    );
  return { write: flat(parts.write), search: flat(parts.search), read: flat(parts.read) };
}
