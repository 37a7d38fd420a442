import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { PROJECT, runIn } from './make-install.ts';

/** In the place of Node: tells what it was given. */
const TELLS = '#!/bin/sh\necho "cache=$NODE_COMPILE_CACHE" "$@"\n';

function writePrograms(folder: string, programs: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(programs)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
    chmodSync(join(folder, name), 0o755);
  }
}

/** As `make install` and the Debian package put it. */
function installedCommand(folder: string): string {
  const template = readFileSync(join(PROJECT, 'deploy/acra-enclave.sh'), 'utf8');
  writePrograms(folder, {
    'lib/bin/acra-enclave': template.replace('@NODE@', 'node').replace('@MAIN@', 'main.ts'),
    'lib/node': TELLS,
  });
  symlinkSync('lib/bin/acra-enclave', join(folder, 'command'));
  return join(folder, 'command');
}

/** As npm puts it. */
function npmCommand(folder: string): string {
  const packed = readFileSync(join(PROJECT, 'deploy/npm/acra-enclave.sh'), 'utf8');
  const node = `node_modules/node-linux-${process.arch}/bin/node`;
  writePrograms(folder, { 'node_modules/acra-enclave/bin/acra-enclave': packed, [node]: TELLS });
  return join(folder, 'node_modules/acra-enclave/bin/acra-enclave');
}

for (const [whose, commandIn] of Object.entries({ 'an installation': installedCommand, npm: npmCommand })) {
  t.test(`keeps compiled code where there is a place for it, and nowhere else: the command of ${whose}`, async (t) => {
    const command = commandIn(temporaryFolder(t));
    const home = temporaryFolder(t);
    const path = `PATH=${process.env['PATH']}`;
    const cacheWith = (...variables: string[]) =>
      /^cache=(\S*)/.exec(runIn('/', 'env', ['-i', path, ...variables, command]).output)?.[1];
    t.equal(cacheWith(`HOME=${home}`), `${home}/.cache/acra-enclave`);
    t.equal(cacheWith(`HOME=${home}`, 'XDG_CACHE_HOME=/var/b'), '/var/b/acra-enclave');
    t.equal(cacheWith(`HOME=${home}`, 'CACHE_DIRECTORY=/var/cache/c'), '/var/cache/c', 'as systemd names it');
    t.equal(cacheWith('CACHE_DIRECTORY=/var/cache/c', 'NODE_COMPILE_CACHE=/d'), '/d');
    t.equal(cacheWith(), '', 'root without a home makes no folder of its own in /');
    t.equal(cacheWith(`HOME=${home}/gone`), '', 'a home that is not there, as users of services have, is not made');
  });
}

t.test('finds its folder through links and passes all words on', async (t) => {
  const folder = temporaryFolder(t);
  const { output } = runIn('/', installedCommand(folder), ['run', 'two words', '']);
  t.match(output, `${folder}/lib/main.ts run two words `);
});
