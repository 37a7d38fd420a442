/** Clients in Rust. */
import { join } from 'node:path';
import t from 'tap';
import { installed, lackOf } from './support/installed.ts';
import { testClient } from './support/test-client.ts';
import { startTarget } from './target.ts';

const PROGRAM = 'rust/clients';
const args = [join(import.meta.dirname, 'checks.json')];
const target = await startTarget(t);
await testClient(t, target, { client: 'tokio-postgres', command: installed(PROGRAM), args }, lackOf('rust', PROGRAM));
