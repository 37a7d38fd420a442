/**
 * Whole manifests as `acra-enclave import` converts them, held against files that people have read: those of Enclaver's own examples in our
 * words, the smallest, and one with every field. After an intended change write them anew (GOLDEN=write) and read them.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { PROJECT } from '../../project/imports.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { acraEnclave } from '../support/acra-enclave.ts';

const HERE = join(PROJECT, 'test/cli/import');
const FILES = ['enclave/enclave.yaml', 'host-proxy.yaml', 'image.yaml'];
const isWriting = process.env['GOLDEN'] === 'write';

function golden(name: string, file: string, text: string): string {
  const path = join(HERE, 'golden', name, file);
  if (isWriting) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return readFileSync(path, 'utf8');
}

const manifests = readdirSync(join(HERE, 'manifests')).map((file) => file.replace(/\.yaml$/, ''));

t.test('reads all manifests', async (t) => t.ok(manifests.length >= 6));

for (const name of manifests) {
  t.test(`converts ${name} as it was read and found right`, async (t) => {
    const out = join(temporaryFolder(t), 'new');
    const { code, stdout, stderr } = await acraEnclave(['import', join(HERE, 'manifests', `${name}.yaml`), '-o', out]);
    t.equal(code, 0, stderr);
    t.same(readdirSync(out, { recursive: true }).sort(), ['enclave', ...FILES].sort());
    for (const file of FILES) {
      const text = readFileSync(join(out, file), 'utf8');
      t.equal(text, golden(name, file, text), file);
    }
    const report = stdout.replaceAll(out, 'NEW');
    t.equal(report, golden(name, 'report.txt', report), 'report');
  });
}
