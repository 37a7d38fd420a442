/** What `make install` and `make uninstall` refuse: each by a code, and with nothing written or removed. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { DEPLOY_ERRORS, DeployError } from '../../deploy/errors.ts';
import { readManifest } from '../../deploy/install/manifest.ts';
import { packageFolders } from '../../deploy/install/packages.ts';
import { reachableFrom } from '../../deploy/install/sources.ts';
import { throwsCode } from '../support/coded-error.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { INSTALL, PROJECT, runIn } from './make-install.ts';

t.test('rejects a folder that is not absolute, with the advice of its code (INSTALL_PATH)', async (t) => {
  const root = temporaryFolder(t);
  for (const option of ['--prefix', '--sysconfdir']) {
    const { code, output } = runIn(root, 'sh', ['-c', `${INSTALL} install --destdir ${root} ${option} opt 2>&1`]);
    t.equal(code, 1);
    t.match(output, /^error INSTALL_PATH: .*found: opt$/m);
    t.match(output, `what to do: ${DEPLOY_ERRORS.INSTALL_PATH.action}`);
  }
  t.notOk(existsSync(join(root, 'opt')), 'nothing was written');
});

t.test('rejects a list of installed files that has another form (INSTALL_MANIFEST)', async (t) => {
  const file = join(temporaryFolder(t), 'manifest.json');
  for (const text of ['', '{', '[]', 'null', '{"files": 1}', '{"files": ["../etc"], "folders": [], "configs": {}}']) {
    writeFileSync(file, text);
    throwsCode(() => readManifest(file), DeployError, 'INSTALL_MANIFEST');
  }
});

t.test('rejects a package that is not installed (INSTALL_PACKAGE_MISSING)', async () => {
  throwsCode(() => packageFolders(PROJECT, ['no-such-package']), DeployError, 'INSTALL_PACKAGE_MISSING');
});

t.test('rejects an import of a file that is not there (INSTALL_SOURCE_MISSING)', async (t) => {
  const folder = temporaryFolder(t);
  const main = 'cli/main.ts';
  mkdirSync(dirname(join(folder, main)));
  writeFileSync(join(folder, main), "import './gone.ts';\n");
  const error = throwsCode(() => reachableFrom(folder, [main]), DeployError, 'INSTALL_SOURCE_MISSING');
  t.match(error.message, 'cli/gone.ts');
});
