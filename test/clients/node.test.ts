/**
 * Clients in JavaScript, of npm packages that every checkout has: what of the matrix needs nothing installed.
 */
import { join } from 'node:path';
import t from 'tap';
import { testClient } from './support/test-client.ts';
import { startTarget } from './target.ts';

const program = (name: string) => ({
  command: process.execPath,
  args: [join(import.meta.dirname, 'node', `${name}.ts`)],
});

const target = await startTarget(t);
await testClient(t, target, { client: 'node-postgres', ...program('node-postgres') });
await testClient(t, target, { client: 'postgres.js', ...program('postgres-js') });
