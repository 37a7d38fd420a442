/** What objects are called in findings. Names are a stranger's: nothing in them is obeyed, hides what stands beside it, or ends a line. */
import { harmlessText } from '../../runtime/harmless-text.ts';
import type { Catalogue, DatabaseFunction, Relation } from './catalogue.ts';
import { codeOf, type Place, type Taint } from './taint.ts';

const MAX_CHARACTERS = 120;
const MAX_LINKS = 6;
/** Unicode's formatting characters: they turn the direction of writing, or show nothing. */
const FORMATTING = /\p{Cf}/gu;

/** A name, or another text of the database, as it may be shown. */
export function shown(text: string): string {
  const escaped = (character: string) => `\\u{${character.codePointAt(0)?.toString(16)}}`;
  const harmless = harmlessText(text.replaceAll('\t', ' ').replace(FORMATTING, escaped));
  return harmless.length <= MAX_CHARACTERS ? harmless : `${harmless.slice(0, MAX_CHARACTERS - 1)}…`;
}

/** As SQL writes it: in quotes where it needs them. */
export const quoted = (name: string) =>
  /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${shown(name).replaceAll('"', '""')}"`;

export const qualified = ({ schema, name }: { readonly schema: string; readonly name: string }) =>
  `${quoted(schema)}.${quoted(name)}`;

const RELATION_KINDS: Readonly<Record<string, string>> = {
  r: 'table',
  p: 'partitioned table',
  v: 'view',
  m: 'materialized view',
  f: 'foreign table',
  c: 'type',
};

export const labelOfRelation = (relation: Relation) =>
  `${RELATION_KINDS[relation.kind] ?? 'relation'} ${qualified(relation)}`;

const FUNCTION_KINDS: Readonly<Record<string, string>> = { p: 'procedure', a: 'aggregate', w: 'window function' };

export const labelOfFunction = (given: DatabaseFunction) =>
  `${FUNCTION_KINDS[given.kind] ?? 'function'} ${qualified(given)}(${shown(given.arguments)})`;

const SYMBOL_CLASSES: Readonly<Record<string, string>> = { T: 'type', O: 'operator', P: 'operator class', A: 'cast' };

export class Labels {
  readonly #labels: ReadonlyMap<Place, string>;

  constructor({ relations, functions, attachments, symbols }: Catalogue) {
    this.#labels = new Map([
      ...attachments.map(({ id, kind, name }) => [id, kind === 'view' ? '' : `${kind} ${quoted(name)}`] as const),
      ...symbols.map(({ id, schema, name }) => {
        const what = SYMBOL_CLASSES[id[0] ?? ''] ?? 'object';
        return [id, what === 'type' ? `${what} ${qualified({ schema, name })}` : `${what} ${shown(name)}`] as const;
      }),
      ...relations.map((relation) => [relation.id, labelOfRelation(relation)] as const),
      ...relations.map(({ id }) => [codeOf(id), ''] as const),
      ...functions.map((each) => [each.id, labelOfFunction(each)] as const),
    ]);
  }

  of(place: Place): string {
    return (
      this.#labels.get(place) ?? (place.startsWith('N') ? `protected table ${quoted(place.slice(1))}` : 'an object')
    );
  }

  /** Why a place is reached, as what follows its own name. */
  why(taint: Taint, place: Place): string {
    const links: string[] = [];
    for (const { how, by } of taint.chain(place)) {
      const label = by === undefined ? '' : this.of(by);
      const text = [how, label].filter((part) => part !== '').join(' ');
      if (text !== '') links.push(text);
      if (links.length > MAX_LINKS) return `${links.slice(0, MAX_LINKS).join(', which ')}, …`;
    }
    return links.join(', which ');
  }
}
