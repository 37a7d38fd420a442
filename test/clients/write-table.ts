/** Writes the results of `make test-clients` into docs/clients.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readResults } from './support/results.ts';
import { withResults } from './support/table.ts';

const DOCUMENT = join(import.meta.dirname, '../../docs/clients.md');

writeFileSync(DOCUMENT, withResults(readFileSync(DOCUMENT, 'utf8'), readResults()));
