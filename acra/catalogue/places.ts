/** In which schemas a database has the configured tables. */
import { z } from 'zod';
import { CatalogueError } from '../errors.ts';
import { OWN } from './queries.ts';
import type { CatalogueReader } from './read.ts';

const MAX_PLACES = 10_000;
const placeSchema = z.array(z.strictObject({ schema: z.string(), name: z.string() })).max(MAX_PLACES);
type Places = z.output<typeof placeSchema>;

const SQL = `SELECT n.nspname::text AS schema, c.relname::text AS name FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relname::text = ANY ($1) AND c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND c.oid >= ${OWN}
  ORDER BY c.relname::text COLLATE "C", n.nspname::text COLLATE "C" LIMIT ${MAX_PLACES + 1}`;

/** Tables that store rows, partitioned ones too. @throws CatalogueError CATALOGUE_ANSWER; what the reader throws */
export async function readPlaces(reader: CatalogueReader, tables: readonly string[]): Promise<Places> {
  const answer = placeSchema.safeParse(await reader.query(SQL, [tables]));
  if (answer.success) return answer.data;
  throw new CatalogueError('CATALOGUE_ANSWER', 'what the database says of its tables is not what PostgreSQL says', {
    cause: answer.error,
    causeIsTold: true,
  });
}
