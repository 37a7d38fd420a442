/** psql, and with it libpq, of every major version that can be had. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { psqlOfWheels } from './support/psql-wheels.ts';
import { testClient } from './support/test-client.ts';
import { startTarget } from './target.ts';

const target = await startTarget(t);
const psql = (program: string) => ({
  command: process.execPath,
  args: [join(import.meta.dirname, 'psql/main.ts'), program],
});

function versionOfSystem(): string | undefined {
  try {
    return /\d+(?:\.\d+)+/.exec(execFileSync('psql', ['--version'], { encoding: 'utf8' }))?.[0];
  } catch {
    return undefined;
  }
}

const version = versionOfSystem();
const ofSystem = { client: 'psql of the system', ...psql('psql'), env: { CLIENT_RUNTIME: `libpq ${version}` } };
await testClient(t, target, ofSystem, version === undefined ? 'there is no psql on PATH' : undefined);

for (const major of [
  { libpq: 16, psql: 16 },
  { libpq: 17, psql: 16 },
  { libpq: 18, psql: 18 },
]) {
  const { program, library, origin, lack } = psqlOfWheels(major);
  const env = { CLIENT_RUNTIME: `libpq of ${origin}`, CLIENT_PRELOAD: library };
  await testClient(t, target, { client: `psql on libpq ${major.libpq}`, ...psql(program), env }, lack);
}
