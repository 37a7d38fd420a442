/** `make test` in a checkout that was moved, and who gets what on standard output. The tap here only tells how it was called. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { PROJECT } from './imports.ts';

function checkout(t: Test) {
  const folder = temporaryFolder(t);
  const log = join(folder, 'calls');
  mkdirSync(join(folder, 'node_modules/.bin'), { recursive: true });
  for (const name of ['Makefile', 'package.json', 'package-lock.json'])
    copyFileSync(join(PROJECT, name), join(folder, name));
  writeFileSync(join(folder, 'node_modules/.bin/tap'), `#!/bin/sh\necho "$@" >>'${log}'\n`);
  chmodSync(join(folder, 'node_modules/.bin/tap'), 0o755);
  writeFileSync(join(folder, 'node_modules/.installed'), '');
  writeFileSync(join(folder, 'node_modules/.tap-built'), '/where/it/was/before');
  const env = { PATH: process.env['PATH'] };
  const command = ['--no-print-directory', 'test', 'TESTS=a.test.ts'];
  return {
    make: () => execFileSync('make', command, { cwd: folder, env, encoding: 'utf8' }),
    onTerminal: () => spawnSync('script', ['-qec', `make ${command.join(' ')}`, '/dev/null'], { cwd: folder, env }),
    /** Without the number of files at once, which follows the machine's processors. */
    calls: () =>
      existsSync(log)
        ? readFileSync(log, 'utf8')
            .replaceAll(/ --jobs=\d+/g, '')
            .trim()
            .split('\n')
        : [],
  };
}

t.test('builds tap again where a checkout was moved to, once', async (t) => {
  const { make, calls } = checkout(t);
  make();
  make();
  t.same(calls(), ['build', 'run --reporter=tap a.test.ts', 'run --reporter=tap a.test.ts']);
});

const hasScript = spawnSync('script', ['--version']).status === 0;

t.test('reports to people on a terminal', { skip: hasScript ? false : 'there is no script(1)' }, async (t) => {
  const { onTerminal, calls } = checkout(t);
  onTerminal();
  t.equal(calls().at(-1), 'run --reporter=scripts/test-report.ts a.test.ts');
});
