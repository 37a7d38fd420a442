/** What a release demands of the packages that npm has installed. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { DeployError } from '../../deploy/errors.ts';
import { requireLocked } from '../../deploy/release/locked.ts';
import { throwsCode } from '../support/coded-error.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const PACKAGE = { version: '1.0.0', integrity: 'sha512-AAAA' };
const LOCKED = { '': { version: '0.1.0' }, 'node_modules/a': PACKAGE, 'node_modules/for-another-processor': PACKAGE };

function installed(t: Parameters<typeof temporaryFolder>[0], packages: object): string {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ packages: LOCKED }));
  writeFileSync(join(folder, 'node_modules/.package-lock.json'), JSON.stringify({ packages }));
  return folder;
}

t.test('accepts what is locked, and that those for other processors are not there', async (t) => {
  t.doesNotThrow(() => requireLocked(installed(t, { 'node_modules/a': PACKAGE })));
});

for (const [what, packages] of Object.entries({
  'a package that is not locked': { 'node_modules/a': PACKAGE, 'node_modules/b': PACKAGE },
  'another version': { 'node_modules/a': { ...PACKAGE, version: '1.0.1' } },
  'another digest': { 'node_modules/a': { ...PACKAGE, integrity: 'sha512-BBBB' } },
  'a package without a digest': { 'node_modules/a': { version: '1.0.0' } },
})) {
  t.test(`rejects ${what} (RELEASE_PACKAGES)`, async (t) => {
    const { found } = throwsCode(() => requireLocked(installed(t, packages)), DeployError, 'RELEASE_PACKAGES');
    t.match(found, /node_modules\/[ab] 1/);
  });
}
