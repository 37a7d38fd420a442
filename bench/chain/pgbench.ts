/** Runs PostgreSQL's own pgbench against an address; it comes with Debian's `postgresql` package. */
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { APPLICATION, DATABASE } from '../../cli/demo/database.ts';
import type { Stack } from '../../cli/demo/stack.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';

const ROWS = 1000;
const ONE = `\\set id random(1, ${ROWS})\n`;

/** What a client asks for again and again. */
export const WORKLOADS = {
  /** One row with two protected columns. */
  protected: `${ONE}SELECT name, email, diagnosis FROM patients WHERE id = :id;\n`,
  /** 1,000 rows with two protected columns. */
  rows: 'SELECT id, email, diagnosis FROM patients;\n',
  /** Nothing that is protected. */
  untouched: `${ONE}SELECT id, name FROM patients WHERE id = :id;\n`,
} as const;
export type Workload = keyof typeof WORKLOADS;
export type Protocol = 'simple' | 'prepared';

export function findPgbench(): string | undefined {
  const onPath = (process.env['PATH'] ?? '').split(':').map((folder) => join(folder, 'pgbench'));
  return [...onPath, ...globSync('/usr/lib/postgresql/*/bin/pgbench')].find((file) => existsSync(file));
}

export const insertRows = `INSERT INTO patients (id, name, email, diagnosis) VALUES ${Array.from(
  { length: ROWS },
  (_, i) => `(${i + 1}, 'name ${i}', 'e${i}@example.org', 'diagnosis ${i}')`,
).join(',')}`;

export interface PgbenchRun {
  readonly pgbench: string;
  readonly stack: Stack;
  readonly address: TcpEndpoint;
  readonly workload: Workload;
  readonly protocol: Protocol;
  readonly clients: number;
  readonly seconds: number;
}

/** Transactions a second: one SELECT each. */
export function runPgbench({ pgbench, stack, address, workload, protocol, clients, seconds }: PgbenchRun): number {
  const script = join(stack.options.root, `${workload}.sql`);
  writeFileSync(script, WORKLOADS[workload]);
  const { clientFiles } = stack.parts;
  const output = execFileSync(
    pgbench,
    [
      ...['--no-vacuum', '--file', script, '--protocol', protocol, '--client', String(clients)],
      ...['--jobs', '1', '--time', String(seconds), DATABASE],
    ],
    {
      env: {
        PGHOST: address.host,
        PGPORT: String(address.port),
        PGUSER: APPLICATION.user,
        PGPASSWORD: APPLICATION.password,
        PGSSLMODE: 'verify-ca',
        PGSSLROOTCERT: clientFiles.applicationCa,
        PGSSLCERT: clientFiles.certificate,
        PGSSLKEY: clientFiles.key,
        PGCHANNELBINDING: 'disable',
        PGGSSENCMODE: 'disable',
      },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const match = /^tps = ([\d.]+)/m.exec(output);
  if (!match?.[1]) throw new Error(`pgbench printed no rate:\n${output}`);
  return Number(match[1]);
}
