/**
 * Whole transactions over protected columns: pgbench's own (TPC-B-like), and one that writes and reads back. Only statements that
 * acra-server in line protects and reads (docs/specs/acra-server.md, sections 4.4 and 10.1): plain INSERT, UPDATE and SELECT by id, with parameters and without
 * expressions beside them. Protected are texts; balances are added up by the database, and stay as they are.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type pg from 'pg';
import { connectDirectly, connectThroughEnclave } from '../../cli/demo/clients.ts';
import { APPLICATION, ENCRYPTOR_YAML } from '../../cli/demo/database.ts';
import type { Stack } from '../../cli/demo/stack.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import type { Script } from './selects.ts';

/** As pgbench advises: no fewer branches than clients, which would wait for each other. */
const BRANCHES = 10;
const TELLERS = 10 * BRANCHES;
const ACCOUNTS = 1_000 * BRANCHES;
const ROWS_AT_ONCE = 500;

const tables = (text: string) => `
CREATE TABLE pgbench_branches (bid integer PRIMARY KEY, bbalance integer);
CREATE TABLE pgbench_tellers (tid integer PRIMARY KEY, bid integer, tbalance integer);
CREATE TABLE pgbench_accounts (aid integer PRIMARY KEY, bid integer, abalance integer, filler ${text});
CREATE TABLE pgbench_history (tid integer, bid integer, aid integer, delta integer, mtime timestamp DEFAULT CURRENT_TIMESTAMP, filler ${text});
CREATE TABLE journal (id bigint PRIMARY KEY, email ${text}, diagnosis ${text});
INSERT INTO pgbench_branches SELECT bid, 0 FROM generate_series(1, ${BRANCHES}) bid;
INSERT INTO pgbench_tellers SELECT tid, (tid - 1) / 10 + 1, 0 FROM generate_series(1, ${TELLERS}) tid;
`;
const grant = (schema: string) =>
  `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO ${APPLICATION.user};`;

const FILLER = 'x'.repeat(84);
/** The same tables without protection, for PostgreSQL alone. */
export const PLAIN_SCHEMA = 'plain';
const PLAIN = `
CREATE SCHEMA ${PLAIN_SCHEMA}; GRANT USAGE ON SCHEMA ${PLAIN_SCHEMA} TO ${APPLICATION.user}; SET search_path = ${PLAIN_SCHEMA};
${tables('text')} ${grant(PLAIN_SCHEMA)}
INSERT INTO pgbench_accounts SELECT aid, (aid - 1) / 1000 + 1, 0, '${FILLER}' FROM generate_series(1, ${ACCOUNTS}) aid;
`;

const ENCRYPTED = `
  - table: pgbench_accounts
    columns: [aid, bid, abalance, filler]
    encrypted:
      - {column: filler, data_type: str}
  - table: pgbench_history
    columns: [tid, bid, aid, delta, mtime, filler]
    encrypted:
      - {column: filler, data_type: str}
  - table: journal
    columns: [id, email, diagnosis]
    encrypted:
      - {column: email, searchable: true, data_type: str}
      - {column: diagnosis, data_type: str}
`;
/** What receives values and has nothing protected (guard-list.yaml). */
export const GUARD_LIST = { relations: ['pgbench_branches', 'pgbench_tellers'] };

export const TRANSACTIONS: readonly Script[] = [
  {
    name: 'tpc-b',
    words: 'pgbench’s own transaction, with protected texts',
    text: `
\\set aid random(1, ${ACCOUNTS})
\\set bid random(1, ${BRANCHES})
\\set tid random(1, ${TELLERS})
\\set delta random(-5000, 5000)
BEGIN;
UPDATE pgbench_accounts SET abalance = abalance + :delta WHERE aid = :aid;
SELECT abalance, filler FROM pgbench_accounts WHERE aid = :aid;
UPDATE pgbench_tellers SET tbalance = tbalance + :delta WHERE tid = :tid;
UPDATE pgbench_branches SET bbalance = bbalance + :delta WHERE bid = :bid;
INSERT INTO pgbench_history (tid, bid, aid, delta, filler) VALUES (:tid, :bid, :aid, :delta, :filler);
END;
`,
    variables: { filler: 'twenty-two characters.' },
  },
  {
    name: 'journal',
    words: 'writes a row with two protected columns, reads it, changes it, reads it again',
    text: `
\\set id random(1, 4611686018427387904)
BEGIN;
INSERT INTO journal (id, email, diagnosis) VALUES (:id, :email, :diagnosis);
SELECT email, diagnosis FROM journal WHERE id = :id;
UPDATE journal SET diagnosis = :changed WHERE id = :id;
SELECT email, diagnosis FROM journal WHERE id = :id;
END;
`,
    variables: { email: 'somebody@example.org', diagnosis: 'influenza, of type A', changed: 'recovered since Monday' },
  },
];

/** Before the folder is measured. */
export function configureTransactions(stack: Stack): void {
  writeFileSync(join(stack.enclaveFolder, 'encryptor.yaml'), `${ENCRYPTOR_YAML}${ENCRYPTED.slice(1)}`);
}

async function closing<Result>(connecting: Promise<pg.Client>, use: (client: pg.Client) => Promise<Result>) {
  const client = await connecting;
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

/** @param address of the enclave, which protects the accounts' texts */
export async function prepareTransactions(stack: Stack, address: TcpEndpoint): Promise<void> {
  await closing(connectDirectly(stack), (owner) => owner.query(`${tables('bytea')} ${grant('public')} ${PLAIN}`));
  await closing(connectThroughEnclave(stack, address), async (application) => {
    for (let from = 1; from <= ACCOUNTS; from += ROWS_AT_ONCE) {
      const rows = Array.from(
        { length: ROWS_AT_ONCE },
        (_, at) => `(${from + at}, ${Math.ceil((from + at) / 1000)}, 0, '${FILLER}')`,
      );
      await application.query(`INSERT INTO pgbench_accounts (aid, bid, abalance, filler) VALUES ${rows.join(',')}`);
    }
  });
}

/** A rate of rows that were stored in plaintext would compare nothing. */
export async function requireProtected(stack: Stack): Promise<void> {
  const sql = `SELECT count(*)::integer AS count FROM (
    SELECT filler AS text FROM pgbench_history UNION ALL SELECT filler FROM pgbench_accounts UNION ALL
    SELECT diagnosis FROM journal UNION ALL SELECT substring(email FROM 34) FROM journal) AS texts
    WHERE substring(text FROM 1 FOR 3) IS DISTINCT FROM '%%%'`;
  const { rows } = await closing(connectDirectly(stack), (owner) => owner.query<{ count: number }>(sql));
  if (rows[0]?.count !== 0) throw new Error(`${rows[0]?.count} values were stored in plaintext`);
}
