/** Every setting of both configuration files is read somewhere: a key that does nothing would be a lie. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { enclaveSchema } from '../../config/enclave.ts';
import { hostProxySchema } from '../../config/host-proxy.ts';
import { loadConfig } from '../../config/load.ts';
import { ROUTES } from '../../wire/routes.ts';
import { PROJECT } from './imports.ts';

/** `relay` reads the limits by the names that the schema gives them; routes are read as the table has them (routes.test.ts). */
const READERS = ['supervisor', 'sessions', 'host-proxy', 'relay', 'cli'];

const source = READERS.flatMap((folder) => readdirSync(join(PROJECT, folder), { recursive: true, withFileTypes: true }))
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
  .join('\n');

function settingsOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null || 'kind' in value) return [];
  return Object.entries(value).flatMap(([key, inner]) => [key, ...settingsOf(inner)]);
}

for (const [file, schema] of [
  ['enclave.yaml', enclaveSchema],
  ['host-proxy.yaml', hostProxySchema],
] as const) {
  t.test(`keeps no setting in ${file} that nothing reads`, async (t) => {
    const settings = settingsOf(loadConfig(schema, join(PROJECT, 'examples', file))).filter(
      (key) => !['version', 'purpose', ...Object.keys(ROUTES)].includes(key),
    );
    t.ok(settings.length > 10);
    t.same(
      settings.filter((key) => !new RegExp(`\\b${key}\\b`).test(source)),
      [],
    );
  });
}
