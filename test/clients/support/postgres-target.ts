/** PostgreSQL itself as the clients' target: `hostssl … trust clientcert=verify-ca`, and plain text columns. */

import { join } from 'node:path';
import pg from 'pg';
import type { Test } from 'tap';
import { createAuthority } from '../../../emulator/pki/authority.ts';
import { startPostgres } from '../../../emulator/postgres/server.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { DATABASE_TEMPLATES } from '../../support/database-templates.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import type { ClientTarget } from '../target.ts';
import { writeCertificateFiles } from './certificate-files.ts';
import { watchDatabase } from './database-watch.ts';

const HOST = 'localhost';
const USER = 'clinic';
const DATABASE = 'records';
const START_TIMEOUT_MS = 60_000;
const TABLE = 'CREATE TABLE patients (id int PRIMARY KEY, name text, diagnosis text, note text)';

async function makeCertificates(folder: string) {
  const authority = await createAuthority({ commonName: 'clients CA', clock: systemClock });
  const server = await authority.issue({ commonName: HOST, subjectAltNames: [HOST], kind: 'server' });
  const client = await authority.issue({ commonName: USER, kind: 'client' });
  const caPem = authority.certificatePem;
  const tls = { certPem: server.certificatePem, keyPem: server.privateKeyPem, caPem, certificateLogin: true };
  const ssl = { ca: caPem, cert: client.certificatePem, key: client.privateKeyPem };
  return { files: await writeCertificateFiles(folder, { caPem, ...client }), tls, ssl };
}

export async function postgresTarget(t: Test): Promise<ClientTarget> {
  const folder = temporaryFolder(t);
  const { files, tls, ssl } = await makeCertificates(folder);
  const server = await startPostgres({
    folder: join(folder, 'postgres'),
    tls,
    users: [{ name: USER, password: 'never asked for' }],
    database: DATABASE,
    durable: false,
    removeOnStop: true,
    templates: DATABASE_TEMPLATES,
    signal: AbortSignal.timeout(START_TIMEOUT_MS),
  });
  t.teardown(() => server.stop());
  const endpoint = { host: HOST, port: server.port, user: USER, database: DATABASE };
  const owner = new pg.Client({ ...endpoint, ssl });
  await owner.connect();
  t.teardown(() => owner.end());
  await owner.query(TABLE);
  const { rows } = await owner.query<{ server_version: string }>('SHOW server_version');
  return {
    ...endpoint,
    ...files,
    description: `PostgreSQL ${rows[0]?.server_version} itself`,
    ...watchDatabase(owner, server.logFile),
  };
}
