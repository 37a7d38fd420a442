/** Which folder may use which package, where that is a rule: one place for system calls, one for each encoding. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { PROJECT, readArrows } from './imports.ts';
import { SOURCE_FOLDERS } from './source-folders.ts';

const files = [...new Set(readArrows(SOURCE_FOLDERS).flatMap(({ from, to }) => [from, to]))].filter(
  (file) => file.endsWith('.ts') && existsSync(join(PROJECT, file)),
);
const texts = new Map(files.map((file) => [file, readFileSync(join(PROJECT, file), 'utf8')]));

function usersOf(packages: RegExp): string[] {
  const specifier = new RegExp(`(?:from|import\\()\\s*['"](?:${packages.source})(?:/[^'"]*)?['"]`);
  return [...texts].filter(([, text]) => specifier.test(text)).map(([file]) => file);
}

for (const { packages, place } of [
  { packages: /koffi/, place: 'system/' },
  { packages: /cbor-x/, place: 'encoding/cbor/' },
]) {
  t.test(`keeps ${packages.source} to ${place}`, async (t) => {
    const users = usersOf(packages);
    t.ok(users.length > 0, 'somebody uses it');
    t.same(
      users.filter((file) => !file.startsWith(place)),
      [],
    );
  });
}

t.test('keeps ASN.1 and certificate libraries to the emulators', async (t) => {
  t.same(
    usersOf(/asn1js|pkijs|@peculiar/).filter((file) => !file.startsWith('emulator/')),
    [],
  );
});

t.test('keeps what only operators and emulators use out of the image', async (t) => {
  const arrows = readArrows(SOURCE_FOLDERS);
  const reached = new Set(['supervisor/main.ts']);
  for (const file of reached) for (const { from, to } of arrows) if (from === file) reached.add(to);
  t.ok(reached.has('kms/client.ts'), 'the way to KMS was followed');
  const users = usersOf(/@aws-sdk\/credential-providers|@peculiar\/x509|reflect-metadata/);
  t.ok(users.length > 0);
  t.same(
    users.filter((file) => reached.has(file)),
    [],
  );
});
