/**
 * Whiteouts against a model that knows nothing of trees: a layer is a set of paths, and what an image holds is what is left when every
 * layer first removes from those below and then adds its own, in whatever order its archive has them.
 */
import fc from 'fast-check';
import t from 'tap';
import { walk } from '../../../../eif/oci/layers/nodes.ts';
import type { TarEntry } from '../../../../eif/oci/layers/tar.ts';
import { ImageTree } from '../../../../eif/oci/layers/tree.ts';

interface Layer {
  /** Files that it brings. */
  readonly files: readonly string[];
  /** Paths, of files or folders, that it hides. */
  readonly whiteouts: readonly string[];
  /** Folders that hold nothing of the layers below. */
  readonly opaque: readonly string[];
  /** Sorts the entries of its archive. */
  readonly order: number;
}

/** Number of the layer that brought a file, by its path. */
type Model = ReadonlyMap<string, number>;

const isBelow = (path: string, folder: string): boolean => path.startsWith(`${folder}/`);

function apply(model: Model, { files, whiteouts, opaque }: Layer, number: number): Model {
  const isHidden = (path: string): boolean =>
    whiteouts.some((each) => path === each || isBelow(path, each)) || opaque.some((folder) => isBelow(path, folder));
  return new Map([...[...model].filter(([path]) => !isHidden(path)), ...files.map((path) => [path, number] as const)]);
}

function entriesOf({ files, whiteouts, opaque, order }: Layer): readonly TarEntry[] {
  const names = [
    ...files,
    ...whiteouts.map((path) => path.replace(/([^/]+)$/, '.wh.$1')),
    ...opaque.map((folder) => `${folder}/.wh..wh..opq`),
  ];
  const keyOf = (name: string): number =>
    [...name].reduce((key, letter) => (key * 31 + letter.charCodeAt(0)) % 9_973, order);
  return names
    .toSorted((a, b) => keyOf(a) - keyOf(b))
    .map((path) => ({
      path,
      kind: 'file',
      mode: 0o644,
      uid: 0,
      gid: 0,
      isCapable: false,
      attributes: 0,
      size: 0,
      body: nothing(),
    }));
}

async function* nothing(): AsyncGenerator<Uint8Array, void> {}

function filesOf(layers: readonly Layer[]): Model {
  const tree = new ImageTree();
  for (const [number, layer] of layers.entries()) {
    for (const entry of entriesOf(layer)) tree.add(number, entry, { start: 0, size: 0 });
  }
  const files = [...walk(tree.root)].filter(({ node }) => node.kind === 'file');
  return new Map(files.map(({ path, node }) => [path, node.layer]));
}

/** Names of folders and of files differ, so that neither takes the place of the other: other tests have that. */
const folders = fc.array(fc.constantFrom('d', 'e'), { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));
const files = fc
  .tuple(fc.option(folders), fc.constantFrom('a', 'b', 'c'))
  .map(([folder, name]) => (folder === null ? name : `${folder}/${name}`));
const layer: fc.Arbitrary<Layer> = fc.record({
  files: fc.uniqueArray(files, { maxLength: 6 }),
  whiteouts: fc.uniqueArray(fc.oneof(files, folders), { maxLength: 3 }),
  opaque: fc.uniqueArray(folders, { maxLength: 2 }),
  order: fc.nat(9_972),
});

t.test('holds what a simple model of layers holds, in whatever order their archives are', async () => {
  fc.assert(
    fc.property(fc.array(layer, { minLength: 1, maxLength: 5 }), (layers) => {
      const expected = layers.reduce<Model>((model, each, number) => apply(model, each, number), new Map());
      const found = filesOf(layers);
      const sorted = (model: Model) => JSON.stringify([...model].toSorted(([a], [b]) => (a < b ? -1 : 1)));
      return sorted(found) === sorted(expected);
    }),
    { seed: 15, numRuns: 3_000 },
  );
});
