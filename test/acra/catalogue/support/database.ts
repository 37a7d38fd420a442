/** A real PostgreSQL with one protected table, one plain one and two functions, made anew for each case. */
import { join } from 'node:path';
import pg from 'pg';
import type { Test } from 'tap';
import { checkFor } from '../../../../acra/belts/check.ts';
import { type Judgement, judgeCatalogue } from '../../../../acra/catalogue/judge.ts';
import { readCatalogue } from '../../../../acra/catalogue/read.ts';
import { parseEncryptorConfig } from '../../../../acra/encryptor-config/lint.ts';
import type { Migration } from '../../../../acra/migration/migration.ts';
import { ENCRYPTOR_YAML } from '../../../../cli/demo/database.ts';
import { startPostgres } from '../../../../emulator/postgres/server.ts';
import { DATABASE_PACKAGE } from '../../../support/database-package.ts';
import { DATABASE_TEMPLATES } from '../../../support/database-templates.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

function belt(name: string): string {
  const column = parseEncryptorConfig(ENCRYPTOR_YAML, 'encryptor.yaml', 'kept')
    .tables.get('patients')
    ?.encrypted.get(name);
  if (!column) throw new Error(`no protected column ${name}`);
  return `CHECK ${checkFor(column, name)}`;
}

const BASE = `
DROP OWNED BY CURRENT_USER CASCADE;
CREATE TABLE patients (
  id integer PRIMARY KEY,
  name text NOT NULL,
  email bytea CONSTRAINT patients_email_check ${belt('email')},
  diagnosis bytea CONSTRAINT patients_diagnosis_check ${belt('diagnosis')}
);
CREATE TABLE notes (id integer PRIMARY KEY, note text);
CREATE FUNCTION save(given text) RETURNS text LANGUAGE sql AS $$ INSERT INTO patients (id, name, diagnosis) VALUES (9, 'n', given::bytea) RETURNING name $$;
CREATE FUNCTION touch(given text) RETURNS text LANGUAGE sql AS $$ SELECT upper(given) $$;
`;

export interface CaseDatabase {
  readonly client: pg.Client;
  readonly address: { readonly host: string; readonly port: number };
  /** By which commands log in there. */
  readonly words: readonly string[];
  /** Of a database that has these statements' objects, and the base. */
  judge(
    sql: string,
    encryptorYaml?: string,
    present?: readonly string[],
    migrations?: readonly Migration[],
  ): Promise<Judgement>;
}

export const LOGIN = { user: 'someone', password: 'secret', database: 'records' } as const;

export async function caseDatabase(t: Test): Promise<CaseDatabase> {
  const running = await startPostgres({
    folder: join(temporaryFolder(t), 'postgres'),
    users: [{ name: LOGIN.user, password: LOGIN.password }],
    database: LOGIN.database,
    tls: undefined,
    durable: false,
    removeOnStop: true,
    templates: DATABASE_TEMPLATES,
    packageFolder: DATABASE_PACKAGE,
    signal: AbortSignal.timeout(60_000),
  });
  t.teardown(() => running.stop());
  const { host, port } = running;
  const client = new pg.Client({ host, port, ...LOGIN });
  client.on('error', () => undefined);
  await client.connect();
  t.teardown(() => client.end());
  return {
    client,
    address: { host, port },
    words: ['--user', LOGIN.user, '--database', LOGIN.database, '--host', host, '--port', String(port), '--plaintext'],
    judge: async (sql, encryptorYaml = ENCRYPTOR_YAML, present = [], migrations = []) => {
      await client.query(BASE);
      await client.query(sql);
      const { tables } = parseEncryptorConfig(encryptorYaml, 'encryptor.yaml', 'kept');
      const reader = {
        query: async (text: string, values: readonly unknown[] = []) => (await client.query(text, [...values])).rows,
      };
      return judgeCatalogue(await readCatalogue(reader, [...tables.keys()]), tables, present, migrations);
    },
  };
}
