/**
 * psql, and with it libpq, of every major version that can be had. Wheels have psql without TLS; the libpq of a psycopg wheel, which
 * has it, is put before theirs. libpq keeps its interface (soname 5), so a psql runs on a later one as well.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { lackOf, onlyInstalled } from './support/installed.ts';
import { testClient } from './support/test-client.ts';
import { startTarget } from './target.ts';

const MAIN = join(import.meta.dirname, 'psql/main.ts');
const OF_WHEELS = [
  { libpq: 16, psql: 16 },
  { libpq: 17, psql: 16 },
  { libpq: 18, psql: 18 },
];

function versionOnPath(): string | undefined {
  try {
    return /\d+(?:\.\d+)+/.exec(execFileSync('psql', ['--version'], { encoding: 'utf8' }))?.[0];
  } catch {
    return undefined;
  }
}

const target = await startTarget(t);
const onPath = versionOnPath();

if (onPath === undefined) t.pass('psql of the system', { skip: 'there is no psql on PATH' });
else {
  const env = { CLIENT_RUNTIME: `libpq ${onPath}` };
  const client = `psql ${onPath.split('.')[0]} of the system`;
  await testClient(t, target, { client, command: process.execPath, args: [MAIN, 'psql'], env });
}

for (const { libpq, psql } of OF_WHEELS) {
  const client = `psql ${psql} on libpq ${libpq}`;
  const lack = lackOf('psql', `psql/${psql}`) ?? lackOf('python', `python/psycopg-libpq${libpq}`);
  if (lack !== undefined) {
    t.pass(client, { skip: lack });
    continue;
  }
  const wheel = readFileSync(join(import.meta.dirname, `python/requirements/psycopg-libpq${libpq}.txt`), 'utf8');
  const library = onlyInstalled(`python/psycopg-libpq${libpq}/psycopg_binary.libs/libpq-*`);
  const env = { CLIENT_RUNTIME: `libpq of psycopg-binary ${/^psycopg-binary==(.*)$/m.exec(wheel)?.[1]}`, CLIENT_PRELOAD: library };
  const program = onlyInstalled(`psql/${psql}/*/pginstall/bin/psql`);
  await testClient(t, target, { client, command: process.execPath, args: [MAIN, program], env });
}
