/** Clients in JavaScript. node-postgres and postgres.js are packages that every checkout has: the part of the matrix that needs nothing else. */
import { join } from 'node:path';
import t from 'tap';
import { installed, lackOf } from './support/installed.ts';
import { testClient } from './support/test-client.ts';
import { startTarget } from './target.ts';

const program = (name: string) => ({ command: process.execPath, args: [join(import.meta.dirname, 'node', name)] });

const target = await startTarget(t);
await testClient(t, target, { client: 'node-postgres', ...program('node-postgres.ts') });
await testClient(t, target, { client: 'postgres.js', ...program('postgres-js.ts') });
const env = { CLIENT_MODULES: installed('node') };
await testClient(t, target, { client: 'Drizzle', ...program('drizzle/main.mjs'), env }, lackOf('node', 'node/.made'));
