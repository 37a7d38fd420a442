/** The kept vectors of key sets: what the product makes of each, and that their generator still makes the same ones. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { PROJECT } from '../project/imports.ts';
import { vectorFile } from './vectors/all.ts';
import { judged, type VectorFile } from './vectors/judge.ts';

const text = readFileSync(join(PROJECT, 'test/vectors/key-sets/vectors.json'), 'utf8');
const { vectors, ...common } = JSON.parse(text) as VectorFile;

for (const vector of vectors) {
  const verb = typeof vector.expect === 'string' ? `rejects (${vector.expect})` : 'keeps';
  t.test(`${verb} ${vector.name}`, async (t) => {
    t.same(await judged(vector, common), vector.expect);
  });
}

t.test('keeps the file as the generator writes it, byte for byte', async (t) => {
  t.ok((await vectorFile()) === text, 'node test/keys/vectors/write.ts');
  t.equal(new Set(vectors.map(({ name }) => name)).size, vectors.length);
});
