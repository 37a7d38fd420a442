/** Tables, names that mean several things, references and literals. */
import type { Draw, Kind, Named, Shown } from './draw.ts';

const columns = (...each: readonly [string, Kind][]): readonly Named[] => each.map(([name, kind]) => ({ name, kind }));

const PATIENTS = columns(['id', 'number'], ['name', 'text'], ['email', 'searched'], ['diagnosis', 'kept']);
export const TABLES: Readonly<Record<'patients' | 'visits' | 'notes' | 'v', readonly Named[]>> = {
  patients: PATIENTS,
  visits: columns(['id', 'number'], ['patient', 'number'], ['email', 'searched'], ['note', 'kept']),
  notes: columns(['id', 'number'], ['email', 'text'], ['body', 'text']),
  v: PATIENTS,
};
export type TableName = keyof typeof TABLES;
export const tableOf = (name: TableName): Shown => ({ name, columns: TABLES[name], isTable: true });

const NAMES = ['id', 'name', 'email', 'diagnosis', 'body', 'a', 'e'] as const;
const ALIASES = ['patients', 'notes', 'visits', 'v', 'p', 'x', 'y', 'email', 'lower', 'unnest'];
export const NAMELESS = '"?column?"';

export const nameFrom = (draw: Draw): string => draw.of(...NAMES);

/** Free in the innermost query. */
export function aliasFrom(draw: Draw): string {
  const [first = 'z', ...others] = ALIASES.filter((alias) => draw.frame.every(({ name }) => name !== alias));
  return draw.of(first, ...others);
}

const VALUES = ['a', 'b', 'c'] as const;

export function literal(draw: Draw): string {
  if (draw.hasParameters && draw.is(30)) {
    const value = draw.of(...VALUES);
    const again = draw.values.indexOf(value);
    const number = again >= 0 && draw.is(70) ? again + 1 : draw.values.push(value);
    return draw.of(`$${number}::text`, `CAST($${number} AS text)`);
  }
  const forms = ["'a'", "'b'", "'c'", "'a'::text", "text 'b'", "E'c'", '$$a$$', "U&'a'", 'NULL', "('b')", "''"];
  return draw.of("'a'", ...forms);
}

export const number = (draw: Draw) => String(1 + draw.below(5));

type Wanted = 'number' | 'value' | 'any';
const isWanted = (kind: Kind, wanted: Wanted) => wanted === 'any' || (kind === 'number') === (wanted === 'number');

/** A column that can be seen, mostly of the innermost query; sometimes any name at all. */
export function reference(draw: Draw, wanted: Wanted): string {
  if (draw.is(4)) return nameFrom(draw);
  const [first, ...others] = draw.frames.filter((frame) => frame.length > 0);
  if (!first) return wanted === 'number' ? number(draw) : literal(draw);
  const frame = draw.is(80) ? (others.at(-1) ?? first) : draw.of(first, ...others);
  const hasKept = draw.is(25);
  const [one, ...more] = frame.flatMap((relation) =>
    relation.columns
      .filter(({ kind }) => isWanted(kind, wanted) && (hasKept || kind !== 'kept'))
      .map(({ name }) => ({ relation, name })),
  );
  if (!one) return wanted === 'number' ? number(draw) : literal(draw);
  const { relation, name } = draw.of(one, ...more);
  if (draw.is(30)) return name;
  return `${relation.isTable && draw.is(25) ? 'public.' : ''}${relation.name}.${name}`;
}

/** What is known of the column that a reference names. */
export function kindOf(draw: Draw, of: string): Kind {
  const name = of.split('.').at(-1);
  return (
    draw.frames
      .flat()
      .flatMap((each) => each.columns)
      .find((each) => each.name === name)?.kind ?? 'text'
  );
}

/** `(a, b)`, often shorter than the relation is wide; or nothing. */
export function otherNames(draw: Draw, width: number): readonly string[] {
  return draw.is(70) ? [] : [...new Set(draw.times(1 + draw.below(Math.max(1, width)), () => nameFrom(draw)))];
}

export const renamed = (all: readonly Named[], names: readonly string[]): readonly Named[] =>
  all.map(({ name, kind }, index) => ({ name: names[index] ?? name, kind }));

export const listed = (names: readonly string[]) => (names.length === 0 ? '' : `(${names.join(', ')})`);
