import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { SystemError } from '../../../system/errors.ts';
import { exchangePaths } from '../../../system/libc/exchange-paths.ts';
import { throwsCode } from '../../support/coded-error.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

t.test('has two folders change places, whatever is in them', async (t) => {
  const folder = temporaryFolder(t);
  for (const name of ['one', 'other']) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, `was ${name}`), '');
  }
  exchangePaths(join(folder, 'one'), join(folder, 'other'));
  t.same(readdirSync(join(folder, 'one')), ['was other']);
  t.same(readdirSync(join(folder, 'other')), ['was one']);
});

t.test('changes nothing where one of them is not there (SYSTEM_EXCHANGE)', async (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'one'));
  for (const [one, other] of [
    ['one', 'none'],
    ['none', 'one'],
  ] as const)
    throwsCode(() => exchangePaths(join(folder, one), join(folder, other)), SystemError, 'SYSTEM_EXCHANGE');
  t.same(readdirSync(folder), ['one']);
});
