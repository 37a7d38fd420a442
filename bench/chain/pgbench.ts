/** Runs PostgreSQL's own pgbench against an address; it comes with Debian's `postgresql` package. */
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { APPLICATION, DATABASE } from '../../cli/demo/database.ts';
import type { Stack } from '../../cli/demo/stack.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';

const ROWS = 1000;
const ONE = `\\set id random(1, ${ROWS})\n`;

/** What a client does again and again. */
export interface Script {
  readonly name: string;
  readonly text: string;
  /** Texts, which pgbench has no expressions for. */
  readonly variables?: Readonly<Record<string, string>>;
}

export const SELECTS: readonly Script[] = [
  /** One row with two protected columns. */
  { name: 'protected', text: `${ONE}SELECT name, email, diagnosis FROM patients WHERE id = :id;\n` },
  /** Nothing that is protected. */
  { name: 'untouched', text: `${ONE}SELECT id, name FROM patients WHERE id = :id;\n` },
  /** 1,000 rows with two protected columns. */
  { name: 'rows', text: 'SELECT id, email, diagnosis FROM patients;\n' },
];
export type Protocol = 'simple' | 'extended' | 'prepared';

export function findPgbench(): string | undefined {
  const onPath = (process.env['PATH'] ?? '').split(':').map((folder) => join(folder, 'pgbench'));
  return [...onPath, ...globSync('/usr/lib/postgresql/*/bin/pgbench')].find((file) => existsSync(file));
}

const COLUMNS = 'id, name, email, diagnosis';
const VALUES = Array.from(
  { length: ROWS },
  (_, i) => `(${i + 1}, 'name ${i}', 'e${i}@example.org', 'diagnosis ${i}')`,
).join(',');
export const insertRows = `INSERT INTO patients (${COLUMNS}) VALUES ${VALUES}`;

/** The same as texts, in a schema that is there. */
export const insertPlainRows = (schema: string) => `
CREATE TABLE ${schema}.patients (id integer PRIMARY KEY, name text, email text, diagnosis text);
INSERT INTO ${schema}.patients (${COLUMNS}) VALUES ${VALUES};
GRANT SELECT ON ${schema}.patients TO ${APPLICATION.user};`;

export interface PgbenchRun {
  readonly pgbench: string;
  readonly stack: Stack;
  readonly address: TcpEndpoint;
  /** Default: what a client of the enclave has. For the database itself: the authority of its certificate, and settings of the session. */
  readonly database?: { readonly options: string };
  readonly script: Script;
  readonly protocol: Protocol;
  readonly clients: number;
  readonly seconds: number;
  /** Transactions a second that are asked for; default: as many as go. */
  readonly rate?: number;
}

export interface Rate {
  /** A second. */
  readonly transactions: number;
  /** Of the whole run. */
  readonly count: number;
  /** The mean, from when a transaction was due. */
  readonly latencyMs: number;
}

export function runPgbench(run: PgbenchRun): Rate {
  const { pgbench, stack, address, database, script, protocol, clients, seconds, rate: asked } = run;
  const { name, text, variables = {} } = script;
  const file = join(stack.options.root, `${name}.sql`);
  writeFileSync(file, text);
  const { clientFiles } = stack.parts;
  // Without parameters pgbench puts the text itself into the statement.
  const quote = protocol === 'simple' ? "'" : '';
  const defined = Object.entries(variables).flatMap(([variable, value]) => [
    '--define',
    `${variable}=${quote}${value}${quote}`,
  ]);
  const output = execFileSync(
    pgbench,
    [
      ...['--no-vacuum', '--file', file, ...defined, '--protocol', protocol, '--client', String(clients)],
      ...(asked === undefined ? [] : ['--rate', String(asked)]),
      ...['--jobs', '1', '--time', String(seconds), DATABASE],
    ],
    {
      env: {
        PGHOST: address.host,
        PGPORT: String(address.port),
        PGUSER: APPLICATION.user,
        PGPASSWORD: APPLICATION.password,
        PGSSLMODE: 'verify-ca',
        PGSSLROOTCERT: database ? clientFiles.databaseCa : clientFiles.applicationCa,
        PGOPTIONS: database?.options ?? '',
        PGSSLCERT: clientFiles.certificate,
        PGSSLKEY: clientFiles.key,
        PGCHANNELBINDING: 'disable',
        PGGSSENCMODE: 'disable',
      },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const count = /^number of transactions actually processed: (\d+)/m.exec(output)?.[1];
  const rate = /^tps = ([\d.]+)/m.exec(output)?.[1];
  const latency = /^latency average = ([\d.]+) ms/m.exec(output)?.[1];
  if (!count || !rate || !latency) throw new Error(`pgbench printed no rate:\n${output}`);
  return { transactions: Number(rate), count: Number(count), latencyMs: Number(latency) };
}
