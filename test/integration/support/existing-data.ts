/** A table full of plaintext behind the whole product, whose rows are to be encrypted by the command as an operator runs it. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import type { Test } from 'tap';
import { DATABASE_NAME, ENCLAVE_NAME } from '../../../cli/demo/certificates.ts';
import { connectDirectly, connectThroughEnclave } from '../../../cli/demo/clients.ts';
import { APPLICATION, DATABASE } from '../../../cli/demo/database.ts';
import type { Stack } from '../../../cli/demo/stack.ts';
import { freePort } from '../../../emulator/free-port.ts';
import type { TcpEndpoint } from '../../../wire/endpoint.ts';
import { type Run, start } from '../../cli/support/acra-enclave.ts';
import { prepareStack, step } from '../../support/stack.ts';

const COLUMN = 'data_type: str, searchable: true';
const ENCRYPTOR = `schemas:
  - table: people
    columns: [id, name, town, name_protected]
    encrypted:
      - {column: name, ${COLUMN}}
      - {column: name_protected, ${COLUMN}}
`;
const TABLE = (name: string) => `CREATE TABLE ${name} (id int PRIMARY KEY, name text, town text NOT NULL)`;

/** What a statement has beside its value is less than the rest of the longest message (docs/encrypt-existing-data.md). */
export const LARGEST_VALUE_BYTES = 16 * 1024 * 1024 - 1024;
/** 150 MB. */
export const MAX_RSS_KIB = Math.floor(150_000_000 / 1024);

export interface ExistingData {
  readonly stack: Stack;
  /** The application, at the database itself; it owns the tables `people` and, beside it, `twin`. */
  direct(): Promise<pg.Client>;
  /** The application, through the enclave. */
  application(): Promise<pg.Client>;
  /** `acra-enclave data …` */
  tool(words: readonly string[]): Run;
}

async function makeTables(stack: Stack, direct: () => Promise<pg.Client>, rows: number): Promise<void> {
  const owner = await connectDirectly(stack);
  await owner.query(`GRANT CREATE ON SCHEMA public TO ${APPLICATION.user}`);
  await owner.end();
  const application = await direct();
  // What is acknowledged must be there when a server process is killed.
  await application.query(`ALTER ROLE ${APPLICATION.user} SET synchronous_commit = on`);
  for (const table of ['people', 'twin']) {
    await application.query(TABLE(table));
    await application.query(
      `INSERT INTO ${table} SELECT g, 'name of ' || g, 'town' FROM generate_series(1, ${rows}) g`,
    );
    await application.query(`ANALYZE ${table}`);
  }
  await application.end();
}

/** The application, at the database itself. */
export async function applicationDirectly(stack: Stack): Promise<pg.Client> {
  const { postgres, certificates } = stack.parts;
  const { host, port } = postgres;
  const ssl = { ca: certificates.databaseCaPem, servername: DATABASE_NAME };
  const client = new pg.Client({ host, port, database: DATABASE, ...APPLICATION, ssl });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

export const LOGIN: readonly string[] = ['--user', APPLICATION.user, '--database', DATABASE];

/** By which a tool connects as the application does. */
export function wordsThrough({ parts }: Stack, { host, port }: TcpEndpoint): readonly string[] {
  const { applicationCa, certificate, key } = parts.clientFiles;
  const address = ['--host', host, '--port', `${port}`, '--server-name', ENCLAVE_NAME];
  return [...address, '--ca', applicationCa, '--cert', certificate, '--key', key];
}

/** @param rows of the table, with ids from 1 on */
export async function existingData(t: Test, rows: number): Promise<ExistingData> {
  const port = await freePort();
  const stack = await prepareStack(t, {
    enclaveSettings: {
      guard: { migrations: [{ table: 'people', column: 'name' }] },
      restart: { minMs: 10, maxMs: 100 },
    },
    hostSettings: { ingress: { listen: `tcp://127.0.0.1:${port}` } },
  });
  const { postgres } = stack.parts;
  writeFileSync(join(stack.enclaveFolder, 'encryptor.yaml'), ENCRYPTOR);
  const direct = () => applicationDirectly(stack);
  await makeTables(stack, direct, rows);
  await stack.allowMeasuredEnclave();
  await stack.enclave.startHostProxy();
  stack.enclave.startSupervisor();
  const address = await stack.enclave.untilServing(step());
  const through = wordsThrough(stack, address);
  const past = ['--host', postgres.host, '--port', `${postgres.port}`];
  return {
    stack,
    direct,
    application: () => connectThroughEnclave(stack, address),
    tool: ([command = '', ...words]) =>
      start(
        [
          'data',
          command,
          '--enclave',
          stack.enclaveFolder,
          ...LOGIN,
          ...(command === 'prepare' ? past : through),
          ...words,
        ],
        { PGPASSWORD: command === 'prepare' ? APPLICATION.password : undefined },
      ),
  };
}
