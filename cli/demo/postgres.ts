/** The demo's database: PostgreSQL with TLS, an owner, an application user and the protected table. */
import pg from 'pg';
import type { PostgresOptions } from '../../emulator/postgres/options.ts';
import type { RunningPostgres } from '../../emulator/postgres/server.ts';
import { startPostgres } from '../../emulator/postgres/server.ts';
import type { DemoCertificates } from './certificates.ts';
import { DATABASE_NAME } from './certificates.ts';
import { APPLICATION, DATABASE, OWNER, SCHEMA_SQL } from './database.ts';

/** What a test may want otherwise of the server. */
export type DatabaseServer = Pick<PostgresOptions, 'replicator' | 'settings'>;

export interface DemoPostgresOptions {
  readonly folder: string;
  readonly tls: boolean;
  readonly certificates: DemoCertificates;
  readonly templates?: string | undefined;
  readonly packageFolder?: string | undefined;
  readonly server?: DatabaseServer | undefined;
  readonly signal: AbortSignal;
}

export async function startDemoPostgres(options: DemoPostgresOptions): Promise<RunningPostgres> {
  const { database } = options.certificates;
  const postgres = await startPostgres({
    folder: options.folder,
    users: [OWNER, APPLICATION].map(({ user, password }) => ({ name: user, password })),
    database: DATABASE,
    tls: options.tls ? { certPem: database.certificatePem, keyPem: database.privateKeyPem } : undefined,
    durable: false,
    removeOnStop: true,
    templates: options.templates,
    packageFolder: options.packageFolder,
    ...options.server,
    signal: options.signal,
  });
  try {
    await createSchema(postgres, options);
    return postgres;
  } catch (error) {
    await postgres.stop();
    throw error;
  }
}

async function createSchema(
  { host, port }: RunningPostgres,
  { tls, certificates }: DemoPostgresOptions,
): Promise<void> {
  const ssl = tls ? { ca: certificates.databaseCaPem, servername: DATABASE_NAME } : false;
  const client = new pg.Client({ host, port, database: DATABASE, ...OWNER, ssl });
  await client.connect();
  try {
    await client.query(SCHEMA_SQL);
  } finally {
    await client.end();
  }
}
