/**
 * Makes the data folder: initdb, configuration, users and the database. It is put in its place by one rename when it
 * is complete, so that a folder named `data` can always be started.
 */
import { appendFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Random } from '../../runtime/random.ts';
import { systemRandom } from '../../runtime/random.ts';
import { readIfPresent } from '../state-file.ts';
import type { PostgresOptions, PostgresUser } from './options.ts';
import { allowsPlaintext } from './options.ts';
import type { Surroundings } from './process.ts';
import { runUnprivileged } from './process.ts';
import type { PostgresPrograms } from './programs.ts';
import { ClusterTemplate, fileIdentity } from './template.ts';

/** Nobody learns its password: whoever needs more than a user's rights runs the server's own programs. */
const BOOTSTRAP_USER = 'postgres';
const LOOPBACK = '127.0.0.1/32';

interface ClusterPaths {
  readonly data: string;
  /** Where the data is made before it gets its name. */
  readonly unfinished: string;
  readonly key: string;
  readonly certificate: string;
  readonly clientAuthority: string;
}

export function clusterPaths(folder: string): ClusterPaths {
  return {
    data: join(folder, 'data'),
    unfinished: join(folder, 'data.unfinished'),
    key: join(folder, 'server.key'),
    certificate: join(folder, 'server.crt'),
    clientAuthority: join(folder, 'client-ca.crt'),
  };
}

/** Options that hold for one start of the server, as `name=value`. */
export function serverSettings(options: PostgresOptions, paths: ClusterPaths, port: number): string[] {
  const unsafe = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'];
  const { tls } = options;
  const tlsSettings = [
    'ssl=on',
    `ssl_cert_file=${paths.certificate}`,
    `ssl_key_file=${paths.key}`,
    'ssl_min_protocol_version=TLSv1.2',
    ...(tls?.caPem === undefined ? [] : [`ssl_ca_file=${paths.clientAuthority}`]),
  ];
  return [
    'listen_addresses=127.0.0.1',
    `port=${port}`,
    'unix_socket_directories=',
    `hba_file=${join(paths.data, 'pg_hba.conf')}`,
    ...(tls === undefined ? ['ssl=off'] : tlsSettings),
    ...(options.durable === false ? unsafe : []),
    ...(options.settings ?? []),
  ];
}

function hostRules(options: PostgresOptions): string {
  const clientCertificate = options.tls?.caPem === undefined ? '' : ' clientcert=verify-ca';
  const byCertificate = options.tls?.certificateLogin === true;
  const users = byCertificate ? options.users.map(({ name }) => name).join(',') : 'all';
  const login = byCertificate ? 'trust' : 'scram-sha-256';
  const { replicator, tls } = options;
  const replication = `${tls === undefined ? 'hostnossl' : 'hostssl'} replication ${replicator?.name} ${LOOPBACK} scram-sha-256`;
  const lines = [
    ...(replicator === undefined ? [] : [replication]),
    ...(options.tls === undefined ? [] : [`hostssl all ${users} ${LOOPBACK} ${login}${clientCertificate}`]),
    ...(allowsPlaintext(options) ? [`hostnossl all all ${LOOPBACK} scram-sha-256`] : []),
  ];
  return `${lines.join('\n')}\n`;
}

/** Files that follow the options of this start, not those of the first. */
export async function writeStartFiles(options: PostgresOptions, paths: ClusterPaths): Promise<void> {
  const mode = 0o600;
  await writeFile(join(paths.data, 'pg_hba.conf'), hostRules(options), { mode });
  if (options.tls === undefined) return;
  await rm(paths.key, { force: true });
  await writeFile(paths.key, options.tls.keyPem, { mode });
  await writeFile(paths.certificate, options.tls.certPem, { mode });
  if (options.tls.caPem !== undefined) await writeFile(paths.clientAuthority, options.tls.caPem, { mode });
}

const SETTINGS = `
password_encryption = 'scram-sha-256'
shared_buffers = '16MB'
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
jit = off
`;

function quoted(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

/** One statement a line, as single-user mode reads them. */
function setupStatements({ users, database, replicator }: PostgresOptions): string {
  const roles = users.map(({ name, password }) => `CREATE ROLE ${name} LOGIN PASSWORD ${quoted(password)};`);
  const replication = replicator === undefined ? [] : replicatorStatements(replicator);
  return [...roles, `CREATE DATABASE ${database} OWNER ${users[0]?.name};`, ...replication, ''].join('\n');
}

/** What PostgreSQL leaves to superusers otherwise; its functions are those of the database `postgres`. */
function replicatorStatements({ name, password }: PostgresUser): string[] {
  const functions = ['pg_backup_start(text, boolean)', 'pg_backup_stop(boolean)', 'pg_promote(boolean, integer)'];
  return [
    `CREATE ROLE ${name} LOGIN REPLICATION PASSWORD ${quoted(password)};`,
    `GRANT pg_monitor TO ${name};`,
    ...functions.map((signature) => `GRANT EXECUTE ON FUNCTION ${signature} TO ${name};`),
  ];
}

async function initialise(
  programs: PostgresPrograms,
  surroundings: Surroundings,
  data: string,
  signal: AbortSignal,
  random: Random,
): Promise<void> {
  const passwordFile = join(surroundings.folder, 'bootstrap-password');
  await writeFile(passwordFile, random.bytes(24).toString('base64'), { mode: 0o600 });
  const authentication = ['--auth-host=scram-sha-256', '--auth-local=scram-sha-256', `--pwfile=${passwordFile}`];
  const args = [`--pgdata=${data}`, `--username=${BOOTSTRAP_USER}`, ...authentication];
  const command = { program: programs.initdb, args: [...args, '--no-sync', '--locale=C', '--encoding=UTF8'] };
  try {
    await runUnprivileged({ command, input: '', signal, ...surroundings });
  } finally {
    await rm(passwordFile, { force: true });
  }
}

async function make(
  programs: PostgresPrograms,
  options: PostgresOptions,
  surroundings: Surroundings,
  unfinished: string,
): Promise<void> {
  const { signal } = options;
  await initialise(programs, surroundings, unfinished, signal, systemRandom);
  await appendFile(join(unfinished, 'postgresql.conf'), SETTINGS);
  const args = ['--single', '-D', unfinished, '-c', 'exit_on_error=on', '-c', 'fsync=off', BOOTSTRAP_USER];
  const command = { program: programs.postgres, args };
  await runUnprivileged({ command, input: setupStatements(options), signal, ...surroundings });
}

/** Leaves an existing data folder as it is. @throws EmulatorError EMULATOR_POSTGRES_SETUP, EMULATOR_POSTGRES_PRIVILEGES */
export async function ensureCluster(
  programs: PostgresPrograms,
  options: PostgresOptions,
  paths: ClusterPaths,
): Promise<void> {
  if ((await readIfPresent(join(paths.data, 'PG_VERSION'))) !== undefined) return;
  const { folder, signal, templates } = options;
  const { unfinished } = paths;
  const surroundings = { folder, libraryPath: programs.libraryPath };
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await rm(unfinished, { recursive: true, force: true });
  const madeBy = [await fileIdentity(programs.postgres), SETTINGS, setupStatements(options)];
  const template = templates === undefined ? undefined : new ClusterTemplate(templates, madeBy, surroundings, signal);
  if (!(await template?.copyTo(unfinished))) {
    await make(programs, options, surroundings, unfinished);
    await template?.keep(unfinished);
  }
  await rename(unfinished, paths.data);
}
