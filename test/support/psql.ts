/** psql of the system, where there is one. */
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';

/** Why tests that need it are skipped. */
export const withoutPsql: string | false =
  spawnSync('psql', ['--version']).status === 0 ? false : 'psql is not installed';

/** At its defaults but for what the connection string says. @returns what it prints, also of an error */
export async function askPsql(conninfo: string, password: string, sql: string): Promise<string> {
  const env = { PATH: process.env['PATH'], PGPASSWORD: password, HOME: '/nonexistent', LC_ALL: 'C.UTF-8' };
  return promisify(execFile)('psql', [conninfo, '-AtXc', sql], { env }).then(
    ({ stdout }) => stdout.trim(),
    (error: { stderr: string }) => error.stderr,
  );
}
