/**
 * A real PgBouncer between clients and an enclave: the one that PGBOUNCER names, or that of the system. It refuses to run as root, and is started as
 * the emulated cluster is.
 */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import type { Test } from 'tap';
import { APPLICATION, DATABASE } from '../../../cli/demo/database.ts';
import { freePort } from '../../../emulator/free-port.ts';
import { spawnUnprivileged } from '../../../emulator/postgres/process.ts';
import type { ServingStack } from '../../support/stack.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const PROGRAM = process.env['PGBOUNCER'] ?? 'pgbouncer';
const told = spawnSync(PROGRAM, ['--version'], { encoding: 'utf8' });
/** Undefined where there is none. */
export const PGBOUNCER_VERSION: string | undefined = /PgBouncer (\d+\.\d+\.\d+)/.exec(told.stdout ?? '')?.[1];
const [, minor = 0] = (PGBOUNCER_VERSION ?? '').split('.').map(Number);
/** `max_prepared_statements`. */
export const KNOWS_PREPARED: boolean = minor >= 21;

export type PoolMode = 'session' | 'transaction';

export interface Pooler {
  connect(settings?: pg.ClientConfig): Promise<pg.Client>;
}

function configuration(folder: string, port: number, mode: PoolMode, { stack, address }: ServingStack): string {
  const { applicationCa, certificate, key } = stack.parts.clientFiles;
  return [
    '[databases]',
    // By the name in the enclave's certificate, which verify-full compares.
    `${DATABASE} = host=localhost port=${address.port} dbname=${DATABASE} user=${APPLICATION.user} password=${APPLICATION.password}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = scram-sha-256',
    `auth_file = ${join(folder, 'users.txt')}`,
    `pool_mode = ${mode}`,
    // One session at the database, so that clients share it.
    'default_pool_size = 1',
    'server_tls_sslmode = verify-full',
    `server_tls_ca_file = ${applicationCa}`,
    `server_tls_cert_file = ${certificate}`,
    `server_tls_key_file = ${key}`,
    'server_reset_query = DISCARD ALL',
    'server_check_delay = 0',
    'application_name_add_host = 1',
    'ignore_startup_parameters = extra_float_digits',
    ...(KNOWS_PREPARED ? ['max_prepared_statements = 100'] : []),
    '',
  ].join('\n');
}

/** Gone when the test ends; a failed test prints what it said. */
export async function startPgBouncer(t: Test, serving: ServingStack, mode: PoolMode): Promise<Pooler> {
  const [folder, port] = [temporaryFolder(t), await freePort()];
  const file = join(folder, 'pgbouncer.ini');
  writeFileSync(file, configuration(folder, port, mode, serving), { mode: 0o600 });
  writeFileSync(join(folder, 'users.txt'), `"${APPLICATION.user}" "${APPLICATION.password}"\n`, { mode: 0o600 });
  const child = await spawnUnprivileged({ program: PROGRAM, args: [file] }, { folder, libraryPath: undefined });
  let said = '';
  const listens = new Promise<void>((resolve, reject) => {
    child.stderr?.on('data', (chunk) => {
      said += chunk;
      if (/process up/.test(said)) resolve();
    });
    child.once('exit', () => reject(new Error(`PgBouncer ended: ${said}`)));
  });
  const exited = once(child, 'exit');
  t.teardown(async () => {
    if (!t.passing()) t.comment(said);
    child.kill('SIGTERM');
    await exited;
  });
  await listens;
  const { user, password } = APPLICATION;
  return {
    async connect(settings = {}) {
      const client = new pg.Client({ host: '127.0.0.1', port, database: DATABASE, user, password, ...settings });
      client.on('error', () => undefined);
      await client.connect();
      t.teardown(() => client.end().catch(() => undefined));
      return client;
    },
  };
}
