import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { PROJECT, runIn } from './make-install.ts';

/** The installed command, with a stand-in for Node that tells what it was given. */
function installedCommand(folder: string): string {
  const template = readFileSync(join(PROJECT, 'deploy/acra-enclave.sh'), 'utf8');
  const places = [
    ['lib/bin/acra-enclave', template.replace('@NODE@', 'node').replace('@MAIN@', 'main.ts')],
    ['lib/node', '#!/bin/sh\necho "cache=$NODE_COMPILE_CACHE" "$@"\n'],
  ] as const;
  mkdirSync(join(folder, 'lib/bin'), { recursive: true });
  for (const [name, text] of places) {
    writeFileSync(join(folder, name), text);
    chmodSync(join(folder, name), 0o755);
  }
  symlinkSync('lib/bin/acra-enclave', join(folder, 'command'));
  return join(folder, 'command');
}

t.test('keeps compiled code where there is a place for it, and nowhere else', async (t) => {
  const command = installedCommand(temporaryFolder(t));
  const path = `PATH=${process.env['PATH']}`;
  const cacheWith = (...variables: string[]) =>
    /^cache=(\S*)/.exec(runIn('/', 'env', ['-i', path, ...variables, command]).output)?.[1];
  t.equal(cacheWith('HOME=/home/a'), '/home/a/.cache/acra-enclave');
  t.equal(cacheWith('HOME=/home/a', 'XDG_CACHE_HOME=/var/b'), '/var/b/acra-enclave');
  t.equal(cacheWith('HOME=/home/a', 'CACHE_DIRECTORY=/var/cache/c'), '/var/cache/c', 'as systemd names it');
  t.equal(cacheWith('CACHE_DIRECTORY=/var/cache/c', 'NODE_COMPILE_CACHE=/d'), '/d');
  t.equal(cacheWith(), '', 'root without a home makes no folder of its own in /');
});

t.test('finds its folder through links and passes all words on', async (t) => {
  const folder = temporaryFolder(t);
  const { output } = runIn('/', installedCommand(folder), ['run', 'two words', '']);
  t.match(output, `${folder}/lib/main.ts run two words `);
});
