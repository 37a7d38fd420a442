/**
 * Only an emulated KMS can be told to believe documents that nobody signed, and only demo, examples and tests tell it: nothing that serves
 * or verifies in the product can.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { graphOf, reachable } from './graph.ts';
import { PROJECT, readArrows } from './imports.ts';
import { SOURCE_FOLDERS } from './source-folders.ts';

/** As the emulator names it; taken apart so that this file does not name it. */
const NAME = ['qemu', 'unsigned'].join('-');
const MAY_NAME_IT = ['emulator', 'test'];
/** What the emulator exports for it, taken apart too, and who starts an emulated KMS so. */
const EXPORTED = ['UNSIGNED', 'BY_QEMU'].join('_');
const MAY_USE_IT = [...MAY_NAME_IT, 'cli/demo', 'examples'];
/** What is built, installed or fetched is not ours. Prose may speak of it. */
const NOT_SOURCE = ['node_modules', '.git', '.tap', '.demo', 'build', 'docs', 'CHANGELOG.md', 'README.md'];

const source = readdirSync(PROJECT, { withFileTypes: true })
  .filter(({ name }) => !NOT_SOURCE.includes(name))
  .flatMap((entry) =>
    entry.isFile()
      ? [entry.name]
      : readdirSync(join(PROJECT, entry.name), { recursive: true, withFileTypes: true })
          .filter((inner) => inner.isFile() && !inner.parentPath.includes('/node_modules'))
          .map((inner) => join(inner.parentPath, inner.name).slice(PROJECT.length)),
  );
const filesNaming = (name: string) =>
  source.filter((file) => readFileSync(join(PROJECT, file), 'latin1').includes(name));
const outside = (files: readonly string[], folders: readonly string[]) =>
  files.filter((file) => !folders.some((folder) => file.startsWith(`${folder}/`)));

t.test('keeps the trust in QEMU’s unsigned documents inside emulator and test', async (t) => {
  const naming = filesNaming(NAME);
  t.ok(naming.includes('emulator/kms/nsm-trust.ts'), 'the name is still what is looked for');
  t.same(outside(naming, MAY_NAME_IT), []);
});

t.test('keeps an emulated KMS that believes them to the demo, the examples and the tests', async (t) => {
  const using = filesNaming(EXPORTED);
  t.ok(using.includes('cli/demo/machine-place.ts'), 'the name is still what is looked for');
  t.same(outside(using, MAY_USE_IT), []);
});

t.test('keeps the programs of an image from reaching an emulator', async (t) => {
  const programs = [
    'supervisor/main.ts',
    'system/processes/launcher.ts',
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
