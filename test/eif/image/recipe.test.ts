/** image.yaml: every key has a default, and whatever else is in it is refused. */
import t from 'tap';
import { recipeSchema } from '../../../eif/image/recipe.ts';
import { KERNEL_SOURCE_VERSION } from '../../../eif/kernel/debian.ts';

t.test('fills in every default', async (t) => {
  const recipe = recipeSchema.parse({ version: 1 });
  const kernel = { debian: KERNEL_SOURCE_VERSION };
  const application = { closure: false, keep: [], setuid: 'refuse' };
  t.same(recipe, { version: 1, name: 'acra-enclave', kernel, libraries: '/', memoryMiB: 1_024, application });
});

const ACCEPTED: readonly Record<string, unknown>[] = [
  { compression: 'none' },
  { memoryMiB: 64 },
  { compression: 'gzip' },
  { compression: 'zstd' },
  { compression: { zstd: 1 } },
  { compression: { zstd: 19 } },
  { kernel: { 'aws-blobs': '/usr/share/nitro_enclaves/blobs' } },
  { kernel: { file: 'bzImage' } },
  { kernel: { debian: '6.12.94-1~bpo12+1' } },
  { application: { image: 'oci:image:v1', closure: true, keep: ['/usr/lib/python3*'], setuid: 'drop' } },
];

for (const keys of ACCEPTED) {
  t.test(`accepts ${JSON.stringify(keys)}`, async (t) => {
    t.match(recipeSchema.parse({ version: 1, ...keys }), keys);
  });
}

const REFUSED: readonly Record<string, unknown>[] = [
  { version: 2 },
  { memoryMiB: 63 },
  { memoryMiB: '1024' },
  { compression: 'xz' },
  { application: { keep: ['srv'] } },
  { application: { setuid: true } },
  { compression: { zstd: 0 } },
  { compression: { zstd: 20 } },
  { compression: { zstd: 2.5 } },
  { compression: { gzip: 9 } },
  { kernel: { 'aws-blobs': 'a', file: 'b' } },
  { kernel: { debian: '6.6.1-1' } },
  { kernel: { file: 'a\0b' } },
  { name: 'Acra' },
  { initrd: 'x' },
];

for (const keys of REFUSED) {
  t.test(`rejects ${JSON.stringify(keys)}`, async (t) => {
    t.notOk(recipeSchema.safeParse({ version: 1, ...keys }).success);
  });
}
