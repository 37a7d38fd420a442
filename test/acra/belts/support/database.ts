/** A real PostgreSQL with an owner of the tables, an application's login, and an administrator who may set what the log has. */
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import type { Test } from 'tap';
import { clusterPaths, ensureCluster } from '../../../../emulator/postgres/cluster.ts';
import { runUnprivileged } from '../../../../emulator/postgres/process.ts';
import { findPrograms } from '../../../../emulator/postgres/programs.ts';
import { startPostgres } from '../../../../emulator/postgres/server.ts';
import { DATABASE_PACKAGE } from '../../../support/database-package.ts';
import { DATABASE_TEMPLATES } from '../../../support/database-templates.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { untilChanged } from '../../../support/watched-files.ts';

const DATABASE = 'records';
const PASSWORD = 'secret';
type Login = 'owner' | 'application' | 'admin';
const USERS = (['owner', 'application', 'admin'] as const).map((name) => ({ name, password: PASSWORD }));

export interface BeltDatabase {
  readonly address: { readonly host: string; readonly port: number };
  login(user: Login): Promise<pg.Client>;
  /** What the server has logged until now: it comes through a pipe, and behind a mark. */
  log(): Promise<string>;
}

export async function beltDatabase(t: Test): Promise<BeltDatabase> {
  const folder = join(temporaryFolder(t), 'postgres');
  const options = {
    folder,
    users: USERS,
    database: DATABASE,
    tls: undefined,
    durable: false,
    removeOnStop: true,
    templates: DATABASE_TEMPLATES,
    packageFolder: DATABASE_PACKAGE,
    signal: AbortSignal.timeout(60_000),
  };
  await mkdir(folder, { recursive: true });
  const programs = await findPrograms(join(folder, 'lib'), DATABASE_PACKAGE);
  const paths = clusterPaths(folder);
  await ensureCluster(programs, options, paths);
  const args = ['--single', '-D', paths.data, '-c', 'exit_on_error=on', '-c', 'fsync=off', 'postgres'];
  await runUnprivileged({
    command: { program: programs.postgres, args },
    input: 'ALTER ROLE admin SUPERUSER;\n',
    signal: options.signal,
    folder,
    libraryPath: programs.libraryPath,
  });
  const running = await startPostgres(options);
  t.teardown(() => running.stop());
  const { host, port, logFile } = running;
  const login = async (user: Login) => {
    const client = new pg.Client({ host, port, user, password: PASSWORD, database: DATABASE });
    client.on('error', () => undefined);
    await client.connect();
    t.teardown(() => client.end());
    return client;
  };
  let marks = 0;
  const log = async () => {
    marks += 1;
    const mark = `mark ${marks} of the test`;
    const admin = await login('admin');
    await admin.query(`DO $$ BEGIN RAISE LOG '${mark}'; END $$`);
    return await untilChanged(logFile, () => {
      const text = readFileSync(logFile, 'utf8');
      return text.includes(`LOG:  ${mark}`) && text;
    });
  };
  return { address: { host, port }, login, log };
}

/** As psql sends them: one at a time. Of a script whose statements end at line ends, and hold no text with line ends. */
export function statementsOf(script: string): string[] {
  return script
    .split(/;$/m)
    .map((statement) => statement.replace(/^\s*--.*$/gm, '').trim())
    .filter((statement) => statement !== '');
}
