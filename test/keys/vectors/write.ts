/** Writes test/vectors/key-sets/vectors.json: `node test/keys/vectors/write.ts`. The same bytes each time; vectors.test.ts holds it to them. */
import { writeFileSync } from 'node:fs';
import { vectorFile } from './all.ts';

writeFileSync(new URL('../../vectors/key-sets/vectors.json', import.meta.url), await vectorFile());
