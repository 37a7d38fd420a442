/** Only the emulator and the tests know that a module's documents can be unsigned: no build of the product can be told to believe them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { graphOf, reachable } from './graph.ts';
import { PROJECT, readArrows } from './imports.ts';
import { SOURCE_FOLDERS } from './source-folders.ts';

/** As the emulator names it; taken apart so that this file does not name it. */
const NAME = ['qemu', 'unsigned'].join('-');
const MAY_NAME_IT = ['emulator', 'test'];
/** What is built, installed or fetched is not ours. Prose may speak of it. */
const NOT_SOURCE = ['node_modules', '.git', '.tap', '.demo', 'build', 'docs', 'CHANGELOG.md', 'README.md'];

const source = readdirSync(PROJECT, { withFileTypes: true })
  .filter(({ name }) => !NOT_SOURCE.includes(name))
  .flatMap((entry) =>
    entry.isFile()
      ? [entry.name]
      : readdirSync(join(PROJECT, entry.name), { recursive: true, withFileTypes: true })
          .filter((inner) => inner.isFile())
          .map((inner) => join(inner.parentPath, inner.name).slice(PROJECT.length)),
  );
const naming = source.filter((file) => readFileSync(join(PROJECT, file), 'latin1').includes(NAME));

t.test('keeps the trust in QEMU’s unsigned documents inside emulator and test', async (t) => {
  t.ok(naming.includes('emulator/kms/nsm-trust.ts'), 'the name is still what is looked for');
  t.same(
    naming.filter((file) => !MAY_NAME_IT.some((folder) => file.startsWith(`${folder}/`))),
    [],
  );
});

t.test('keeps the programs of an image from reaching an emulator', async (t) => {
  const programs = [
    'supervisor/main.ts',
    'system/processes/launcher.ts',
    'acra/keystore/check-main.ts',
    'acra/keystore/change-main.ts',
    'relay/worker/main.ts',
    'supervisor/watchdog/watching.ts',
  ];
  const there = programs.filter((file) => existsSync(join(PROJECT, file)));
  t.same(there, programs);
  const reached = reachable(programs, graphOf(readArrows(SOURCE_FOLDERS)));
  t.ok(reached.size > 50, 'the programs were followed');
  t.same(
    [...reached].filter((file) => /^(emulator|cli|test)\//.test(file)),
    [],
  );
});
