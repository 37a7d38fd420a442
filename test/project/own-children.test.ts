/** PID 1 waits for orphans beside Node: every child that Node itself starts there must be marked (system/processes/own-children.ts). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { graphOf, reachable } from './graph.ts';
import { PROJECT, readArrows } from './imports.ts';
import { SOURCE_FOLDERS } from './source-folders.ts';

const STARTS_PROCESSES = /from 'node:(child_process|cluster)'/;
const TYPES_ONLY = /import type \{[^}]*\} from 'node:child_process'/g;
const MARKED = /markOwnChild\(/;

/** Threads and what is imported on demand run in the same process. */
const arrows = readArrows(SOURCE_FOLDERS).filter(({ kind }) => kind !== 'type');
const reached = reachable(['supervisor/main.ts'], graphOf(arrows));

const starting = [...reached].filter((file) =>
  STARTS_PROCESSES.test(readFileSync(join(PROJECT, file), 'utf8').replace(TYPES_ONLY, '')),
);

t.test('marks every process that PID 1 starts through Node as Node’s to wait for', async (t) => {
  t.same(
    starting.toSorted(),
    ['acra/keystore/keystore-process.ts', 'system/processes/launch.ts'],
    'who starts processes',
  );
  for (const file of starting) t.match(readFileSync(join(PROJECT, file), 'utf8'), MARKED, file);
});
