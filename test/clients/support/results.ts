/** Results between the tests that make them and the table of docs/clients.md: one file a client, in a folder that git ignores. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClientResult } from './checklist.ts';
import { resultSchema } from './checklist.ts';

/** Where scripts/install-clients.sh puts the clients, too. */
export const CACHE_FOLDER = join(import.meta.dirname, '../../../build/clients');
const FOLDER = join(CACHE_FOLDER, 'results');

export function keepResult(result: ClientResult): void {
  mkdirSync(FOLDER, { recursive: true });
  const name = `${result.client.replaceAll(/[^\w.]+/g, '-')}.json`;
  writeFileSync(join(FOLDER, name), `${JSON.stringify(result, undefined, 1)}\n`);
}

export function readResults(): ClientResult[] {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
  return names.map((name) => resultSchema.parse(JSON.parse(readFileSync(join(FOLDER, name), 'utf8'))));
}
