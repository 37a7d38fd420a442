/**
 * Which relations are PostgreSQL's own, by name: those of 18 (built-in-relations.json), and nothing else that begins as they do. Who judges
 * statements exempts them, and who looks at a database must know of each that another one may stand behind.
 */
import relations from './built-in-relations.json' with { type: 'json' };

const CATALOGUE = 'pg_catalog';
const NAMES: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries(relations).map(([schema, names]) => [schema, new Set(names)]),
);

/** What a statement names so. @param schema undefined: it names none, and PostgreSQL looks among its own first */
export const isCatalogueName = (name: string, schema: string = CATALOGUE): boolean =>
  NAMES.get(schema)?.has(name) === true;
