/** Layers of anybody: whatever their bytes are, reading ends, with entries inside the image or an error of its own. */
import fc from 'fast-check';
import t from 'tap';
import { OciError } from '../../../../eif/oci/errors.ts';
import { walk } from '../../../../eif/oci/layers/nodes.ts';
import { readTar } from '../../../../eif/oci/layers/tar.ts';
import { ImageTree } from '../../../../eif/oci/layers/tree.ts';
import { TAR_END, type TestEntry, tarEntry } from '../support/tar.ts';

const NAMES = [
  'a',
  'a/b',
  './a/../c',
  '/a',
  'a/.wh.b',
  'a/.wh..wh..opq',
  '.wh.a',
  'l',
  'l/x',
  '',
  '/',
  '..',
  'a//b/',
  '.wh..',
];
const entry: fc.Arbitrary<TestEntry> = fc.record({
  name: fc.constantFrom(...NAMES),
  type: fc.constantFrom('0', '0', '1', '2', '5', '3', '6', 'S', 'x', 'L', 'g', '7'),
  target: fc.constantFrom('', 'a', '../..', '/', 'l', 'a/b', '/a/../../b'),
  text: fc.string({ maxLength: 600 }),
  mode: fc.nat(0o7777),
});
/** Where bytes of the archive are changed, and to what. */
const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 });

async function* once(archive: Buffer): AsyncGenerator<Buffer, void> {
  yield archive;
}

async function read(
  layers: readonly (readonly TestEntry[])[],
  changed: readonly (readonly [number, number])[],
): Promise<boolean> {
  const tree = new ImageTree();
  try {
    for (const [number, entries] of layers.entries()) {
      const archive = Buffer.concat([...entries.map(tarEntry), TAR_END]);
      for (const [at, byte] of changed) archive[at % archive.length] = byte;
      for await (const each of readTar(once(archive))) tree.add(number, each, undefined);
    }
  } catch (error) {
    return error instanceof OciError;
  }
  return [...walk(tree.root)].every(({ path }) => path.split('/').every((name) => !['', '.', '..'].includes(name)));
}

t.test('gives entries inside the image, or an error of its own', async () => {
  const layers = fc.array(fc.array(entry, { maxLength: 6 }), { minLength: 1, maxLength: 3 });
  await fc.assert(fc.asyncProperty(layers, changes, read), { seed: 28, numRuns: 1_500 });
});
