/** Reads a database's catalogue in one transaction that can change nothing, sees one state, and waits for nobody for long. */
import { z } from 'zod';
import { CatalogueError } from '../errors.ts';
import type { Catalogue } from './catalogue.ts';
import * as questions from './queries.ts';
import { ROLE_SETTINGS, rightsOf, rolesOf, SETTINGS } from './setting-queries.ts';
import { questionsOfTables, TRIGGERS } from './table-queries.ts';

/** A session of the database. */
export interface CatalogueReader {
  query(sql: string, values?: readonly unknown[]): Promise<readonly unknown[]>;
}

const OLDEST_VERSION = 130_000;
const STATEMENT_TIMEOUT_MS = 120_000;
const MAX_SOURCE_BYTES = 128 * 1024 * 1024;

const OPENING = [
  'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY',
  "SET LOCAL search_path = ''",
  `SET LOCAL statement_timeout = ${STATEMENT_TIMEOUT_MS}`,
  'SET LOCAL lock_timeout = 10000',
  "SET LOCAL bytea_output = 'hex'",
];

function unexpected(what: string, cause?: unknown): CatalogueError {
  const details = cause === undefined ? {} : { cause, causeIsTold: true as const };
  return new CatalogueError(
    'CATALOGUE_ANSWER',
    `what the database says of its ${what} is not what PostgreSQL says`,
    details,
  );
}

function tooLarge(what: string, allowed: string): CatalogueError {
  return new CatalogueError('CATALOGUE_TOO_LARGE', `the database has too many ${what}`, { allowed });
}

async function ask<Row>(reader: CatalogueReader, question: questions.Question<Row>): Promise<readonly Row[]> {
  const { what, sql, values, row, maxRows } = question;
  const answer = await reader.query(`SELECT * FROM (${sql}) AS answer LIMIT ${maxRows + 1}`, values);
  if (answer.length > maxRows) throw tooLarge(what, `at most ${maxRows}`);
  const checked = z.array(row).safeParse(answer);
  if (!checked.success) throw unexpected(what, checked.error);
  return checked.data;
}

const versionSchema = z.tuple([z.strictObject({ version: z.coerce.number().int() })]);
const sizeSchema = z.tuple([z.strictObject({ bytes: z.coerce.number() })]);

async function versionOf(reader: CatalogueReader): Promise<number> {
  const sql = `SELECT pg_catalog.current_setting('server_version_num') AS version`;
  const answer = versionSchema.safeParse(await reader.query(sql));
  if (!answer.success) throw unexpected('version', answer.error);
  const [{ version }] = answer.data;
  if (version >= OLDEST_VERSION) return version;
  throw new CatalogueError('CATALOGUE_VERSION', 'the database is older than what this can read', {
    found: String(version),
    allowed: `${OLDEST_VERSION} or newer`,
  });
}

async function requireReadableSources(reader: CatalogueReader): Promise<void> {
  const sql = `SELECT coalesce(pg_catalog.sum(pg_catalog.octet_length(p.prosrc)), 0) AS bytes FROM pg_catalog.pg_proc p WHERE p.oid >= ${questions.OWN}`;
  const answer = sizeSchema.safeParse(await reader.query(sql));
  if (!answer.success) throw unexpected('functions', answer.error);
  if (answer.data[0].bytes > MAX_SOURCE_BYTES)
    throw tooLarge('functions', `at most ${MAX_SOURCE_BYTES} bytes of source`);
}

/**
 * @param tables names of protected tables @param roles the application's @param told which question is asked next
 * @throws CatalogueError; what the reader throws
 */
export async function readCatalogue(
  reader: CatalogueReader,
  tables: readonly string[],
  roles: readonly string[] = [],
  told: (what: string) => void = () => undefined,
): Promise<Catalogue> {
  for (const sql of OPENING) await reader.query(sql);
  const version = await versionOf(reader);
  await requireReadableSources(reader);
  const of = <Row>(question: questions.Question<Row>) => {
    told(question.what);
    return ask(reader, question);
  };
  const ofTables = questionsOfTables(tables);
  const catalogue: Catalogue = {
    relations: await of(questions.RELATIONS),
    functions: await of(questions.functions(version)),
    attachments: await of(questions.ATTACHMENTS),
    references: await of(questions.REFERENCES),
    symbols: await of(questions.SYMBOLS),
    inheritance: await of(questions.INHERITANCE),
    foreignKeys: await of(questions.FOREIGN_KEYS),
    eventTriggers: await of(questions.EVENT_TRIGGERS),
    columns: await of(ofTables.columns),
    constraints: await of(ofTables.constraints),
    indexes: await of(ofTables.indexes),
    generated: await of(ofTables.generated),
    triggers: await of(TRIGGERS),
    roles: await of(rolesOf(roles)),
    settings: await of(SETTINGS),
    roleSettings: await of(ROLE_SETTINGS),
    rights: await of(rightsOf(tables, roles)),
  };
  await reader.query('ROLLBACK');
  return catalogue;
}
