/** Runs PostgreSQL's own pgbench against an address; it comes with Debian's `postgresql` package. */
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { APPLICATION, DATABASE } from '../../cli/demo/database.ts';
import type { Stack } from '../../cli/demo/stack.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';

const ROWS = 1000;
const SCRIPT = `\\set id random(1, ${ROWS})\nSELECT name, email, diagnosis FROM patients WHERE id = :id;\n`;

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
  readonly clients: number;
  readonly seconds: number;
}

/** Transactions a second: one SELECT of a row with two protected columns each. */
export function runPgbench({ pgbench, stack, address, clients, seconds }: PgbenchRun): number {
  const script = join(stack.options.root, 'select.sql');
  writeFileSync(script, SCRIPT);
  const { clientFiles } = stack.parts;
  const output = execFileSync(
    pgbench,
    ['--no-vacuum', '--file', script, '--client', String(clients), '--jobs', '1', '--time', String(seconds), DATABASE],
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
