/** What `acra-enclave import` writes passes the check of configurations, but where it says that people must decide. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import type { z } from 'zod';
import type { FileKey, Place } from '../../../cli/import/change.ts';
import { convert } from '../../../cli/import/convert.ts';
import { manifestSchema } from '../../../cli/import/manifest.ts';
import { renderFiles } from '../../../cli/import/render.ts';
import { anyEnclaveSchema } from '../../../config/any-enclave.ts';
import { hostProxySchema } from '../../../config/host-proxy.ts';
import { loadConfig } from '../../../config/load.ts';
import { recipeSchema } from '../../../eif/image/recipe.ts';
import { PROJECT } from '../../project/imports.ts';

const MANIFESTS = join(PROJECT, 'test/cli/import/manifests');
const SCHEMAS: Readonly<Record<FileKey, z.ZodType>> = {
  enclave: anyEnclaveSchema,
  host: hostProxySchema,
  image: recipeSchema,
};

type Path = readonly PropertyKey[];
const isWithin = (inner: Path, outer: Path) => outer.every((key, index) => String(inner[index]) === String(key));

/** Paths at which the check finds fault. */
function faultsOf(schema: z.ZodType, text: string): readonly Path[] {
  const result = schema.safeParse(parse(text));
  return result.success ? [] : result.error.issues.map(({ path }) => path);
}

for (const file of readdirSync(MANIFESTS)) {
  const conversion = convert(loadConfig(manifestSchema, join(MANIFESTS, file)));
  const texts = renderFiles(conversion);
  const decided = conversion.changes.flatMap(({ outcome, places }) => (outcome === 'decide' ? places : []));
  for (const key of Object.keys(SCHEMAS) as FileKey[]) {
    const own = decided.filter((place: Place) => place.file === key);
    const faults = faultsOf(SCHEMAS[key], texts[key]);
    t.test(`${file}: has no fault in the ${key} file where nothing is to be decided`, async (t) => {
      t.same(
        faults.filter((path) => !own.some((place) => isWithin(path, place.path))),
        [],
      );
    });
    t.test(`${file}: cannot be used before each place of the ${key} file is decided`, async (t) => {
      t.same(
        own.filter((place) => !faults.some((path) => isWithin(path, place.path))),
        [],
      );
    });
  }
}
