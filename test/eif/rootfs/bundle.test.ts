/** What a bundle holds depends on the sources and packages, not on where they lie. */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { bundlePrograms } from '../../../eif/rootfs/bundle.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const SOURCE = "import { hammer } from 'hammer';\nconsole.log(hammer);\n";
/** A package in CommonJS leaves its path in code, one in ES modules in comments only. */
const PACKAGE = {
  'hammer/package.json': '{"name":"hammer","version":"1.0.0"}',
  'hammer/index.js': "exports.hammer = require('nail');\n",
  'nail/package.json': '{"name":"nail","version":"1.0.0","type":"module"}',
  'nail/index.js': 'export const nail = 1;\n',
};

function write(root: string, files: Readonly<Record<string, string>>): string {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return root;
}

async function bundled(t: Test, projectFolder: string): Promise<string> {
  const workFolder = temporaryFolder(t);
  const { packages } = await bundlePrograms({
    projectFolder,
    entry: 'main.ts',
    into: 'code',
    forbidden: [],
    workFolder,
  });
  t.same(
    packages.map(({ name }) => name),
    ['hammer', 'nail'],
  );
  return readFileSync(join(workFolder, 'code/main.mjs'), 'utf8');
}

t.test('keeps a bundle equal wherever the project and its packages lie, linked ones too', async (t) => {
  const packages = join(temporaryFolder(t), 'elsewhere');
  write(packages, PACKAGE);
  const plain = write(temporaryFolder(t), { 'main.ts': SOURCE });
  write(join(plain, 'node_modules'), PACKAGE);
  const allLinked = write(join(temporaryFolder(t), 'deep', 'er'), { 'main.ts': SOURCE });
  symlinkSync(packages, join(allLinked, 'node_modules'));
  const oneLinked = write(temporaryFolder(t), { 'main.ts': SOURCE });
  mkdirSync(join(oneLinked, 'node_modules'));
  for (const name of ['hammer', 'nail']) symlinkSync(join(packages, name), join(oneLinked, 'node_modules', name));
  const throughLink = join(temporaryFolder(t), 'link');
  symlinkSync(plain, throughLink);
  const expected = await bundled(t, plain);
  for (const project of [allLinked, oneLinked, throughLink]) t.equal(await bundled(t, project), expected);
});
