/** Clients in Java. */
import { join } from 'node:path';
import t from 'tap';
import { installed, lackOf } from './support/installed.ts';
import { testClient } from './support/test-client.ts';
import { startTarget } from './target.ts';

const target = await startTarget(t);
const classPath = [installed('java/classes'), `${installed('java/jars')}/*`].join(':');
const args = ['-cp', classPath, 'PgJdbc', join(import.meta.dirname, 'checks.json')];
await testClient(t, target, { client: 'pgjdbc', command: 'java', args }, lackOf('java', 'java/.made'));
