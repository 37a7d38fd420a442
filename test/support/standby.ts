/**
 * A standby that follows a PostgreSQL of emulator/postgres by streaming replication, from a base backup by the low-level functions: npm's package
 * has no pg_basebackup. PostgreSQL manual, 25.3.3 "Making a Base Backup Using the Low Level API", 26.2.5 "Streaming Replication".
 */
import { appendFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import type { PostgresOptions, PostgresUser } from '../../emulator/postgres/options.ts';
import { runUnprivileged } from '../../emulator/postgres/process.ts';
import { type RunningPostgres, startPostgres } from '../../emulator/postgres/server.ts';

export const REPLICATOR: PostgresUser = { name: 'replicator', password: 'replicator-of-the-demo' };
const NAME = 'standby';

/** Of the database `postgres`, where the functions are that it may use. */
async function connect({ host, port }: RunningPostgres): Promise<pg.Client> {
  const { name: user, password } = REPLICATOR;
  const client = new pg.Client({
    host,
    port,
    user,
    password,
    database: 'postgres',
    ssl: { rejectUnauthorized: false },
  });
  await client.connect();
  return client;
}

/** Of the primary while it serves. @param options as the primary was started with; `folder` is the standby's */
async function copy(primary: RunningPostgres, primaryFolder: string, options: PostgresOptions): Promise<void> {
  const { folder, signal } = options;
  const data = join(folder, 'data');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const client = await connect(primary);
  try {
    await client.query("SELECT pg_backup_start('standby', true)");
    const command = { program: 'cp', args: ['-R', '-p', join(primaryFolder, 'data'), data] };
    await runUnprivileged({ command, input: '', signal, folder, libraryPath: undefined });
    const { rows } = await client.query<{ labelfile: string }>('SELECT labelfile FROM pg_backup_stop(false)');
    await writeFile(join(data, 'backup_label'), rows[0]?.labelfile ?? '', { mode: 0o600 });
  } finally {
    await client.end();
  }
  for (const file of ['postmaster.pid', 'postmaster.opts']) await rm(join(data, file), { force: true });
}

/** @param options as the primary was started with; `folder` is the standby's */
export async function startStandby(
  primary: RunningPostgres,
  primaryFolder: string,
  options: PostgresOptions,
): Promise<RunningPostgres> {
  await copy(primary, primaryFolder, options);
  const data = join(options.folder, 'data');
  const { host, port } = primary;
  const { name, password } = REPLICATOR;
  const follows = `host=${host} port=${port} user=${name} password=${password} sslmode=require application_name=${NAME}`;
  await appendFile(join(data, 'postgresql.auto.conf'), `primary_conninfo = '${follows}'\n`);
  await writeFile(join(data, 'standby.signal'), '');
  return startPostgres(options);
}

/** From now on the primary acknowledges nothing that the standby does not have. Resolves when that is so. */
export async function followSynchronously(
  primary: RunningPostgres,
  primaryFolder: string,
  signal: AbortSignal,
): Promise<void> {
  await appendFile(join(primaryFolder, 'data', 'postgresql.auto.conf'), `synchronous_standby_names = '${NAME}'\n`);
  process.kill(primary.pid, 'SIGHUP');
  const client = await connect(primary);
  try {
    const isSynchronous = async () =>
      (await client.query("SELECT FROM pg_stat_replication WHERE sync_state = 'sync'")).rowCount === 1;
    while (!(await isSynchronous())) signal.throwIfAborted();
  } finally {
    await client.end();
  }
}

/** Resolves when it takes writes. */
export async function promote(standby: RunningPostgres): Promise<void> {
  const client = await connect(standby);
  try {
    await client.query('SELECT pg_promote()');
  } finally {
    await client.end();
  }
}
