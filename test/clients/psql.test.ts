/**
 * psql, and with it libpq, of every major version that can be had. Wheels have psql without TLS; the libpq of a psycopg wheel, which
 * has it, is put before theirs. libpq keeps its interface (soname 5), so a psql runs on a later one as well.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { installed, lackOf } from './support/installed.ts';
import { testClient } from './support/test-client.ts';
import { startTarget } from './target.ts';

const MAIN = join(import.meta.dirname, 'psql/main.ts');
const OF_WHEELS = [
  { libpq: 16, psql: 16 },
  { libpq: 17, psql: 16 },
  { libpq: 18, psql: 18 },
];

const target = await startTarget(t);

function ofSystem(): { version: string; lack?: string } {
  try {
    const told = execFileSync('psql', ['--version'], { encoding: 'utf8' });
    return { version: /\d+(?:\.\d+)+/.exec(told)?.[0] ?? '' };
  } catch {
    return { version: '', lack: 'there is no psql on PATH' };
  }
}

const { version, lack: lackOfSystem } = ofSystem();
await testClient(
  t,
  target,
  {
    client: 'psql of the system',
    command: process.execPath,
    args: [MAIN, 'psql'],
    env: { CLIENT_RUNTIME: `libpq ${version}` },
  },
  lackOfSystem,
);

/** @returns its release as the requirements pin it */
function psycopgRelease(libpq: number): string | undefined {
  const pins = readFileSync(join(import.meta.dirname, `python/requirements/psycopg-libpq${libpq}.txt`), 'utf8');
  return /^psycopg-binary==(.*)$/m.exec(pins)?.[1];
}

for (const { libpq, psql } of OF_WHEELS) {
  const lack = lackOf('psql', `psql/${psql}/.made`) ?? lackOf('python', `python/psycopg-libpq${libpq}/.made`);
  const env = {
    CLIENT_RUNTIME: `libpq of psycopg-binary ${psycopgRelease(libpq)}`,
    CLIENT_PRELOAD: installed(`python/psycopg-libpq${libpq}/psycopg_binary.libs/libpq-*`),
  };
  const args = [MAIN, installed(`psql/${psql}/*/pginstall/bin/psql`)];
  await testClient(t, target, { client: `psql on libpq ${libpq}`, command: process.execPath, args, env }, lack);
}
