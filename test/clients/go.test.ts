/** Clients in Go. */
import { join } from 'node:path';
import t from 'tap';
import { installed, lackOf } from './support/installed.ts';
import { testClient } from './support/test-client.ts';
import { startTarget } from './target.ts';

const CHECKS = join(import.meta.dirname, 'checks.json');
const target = await startTarget(t);
for (const [client, program] of [
  ['pgx', 'go/pgx'],
  ['lib/pq', 'go/pq'],
] as const) {
  await testClient(t, target, { client, command: installed(program), args: [CHECKS] }, lackOf('go', program));
}
