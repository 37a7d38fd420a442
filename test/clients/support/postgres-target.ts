/** PostgreSQL itself as the clients' target: `hostssl … trust clientcert=verify-ca`, and plain text columns. */
import { createPrivateKey } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import type { Test } from 'tap';
import { createAuthority } from '../../../emulator/pki/authority.ts';
import { startPostgres } from '../../../emulator/postgres/server.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import type { ClientTarget } from '../target.ts';

const HOST = 'localhost';
const USER = 'clinic';
const DATABASE = 'records';
const START_TIMEOUT_MS = 60_000;
const TABLE = 'CREATE TABLE patients (id int PRIMARY KEY, name text, diagnosis text, note text)';
const OTHERS = `SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`;
const COMPLAINT = /unexpected EOF on client connection|could not receive data from client/;

async function certificateFiles(folder: string) {
  const authority = await createAuthority({ commonName: 'clients CA', clock: systemClock });
  const stranger = await createAuthority({ commonName: 'another CA', clock: systemClock });
  const server = await authority.issue({ commonName: HOST, subjectAltNames: [HOST], kind: 'server' });
  const client = await authority.issue({ commonName: USER, kind: 'client' });
  const keep = (name: string, content: string | Buffer): string => {
    const file = join(folder, name);
    writeFileSync(file, content, { mode: 0o600 });
    return file;
  };
  const files = {
    ca: keep('ca.pem', authority.certificatePem),
    cert: keep('client.pem', client.certificatePem),
    key: keep('client.key', client.privateKeyPem),
    keyDer: keep('client.pk8', createPrivateKey(client.privateKeyPem).export({ format: 'der', type: 'pkcs8' })),
    wrongCa: keep('wrong-ca.pem', stranger.certificatePem),
  };
  const tls = {
    certPem: server.certificatePem,
    keyPem: server.privateKeyPem,
    caPem: authority.certificatePem,
    certificateLogin: true,
  };
  const ssl = { ca: authority.certificatePem, cert: client.certificatePem, key: client.privateKeyPem };
  return { files, tls, ssl };
}

export async function postgresTarget(t: Test): Promise<ClientTarget> {
  const folder = temporaryFolder(t);
  const { files, tls, ssl } = await certificateFiles(folder);
  const server = await startPostgres({
    folder: join(folder, 'postgres'),
    tls,
    users: [{ name: USER, password: 'never asked for' }],
    database: DATABASE,
    durable: false,
    removeOnStop: true,
    signal: AbortSignal.timeout(START_TIMEOUT_MS),
  });
  t.teardown(() => server.stop());
  const endpoint = { host: HOST, port: server.port, user: USER, database: DATABASE };
  const owner = new pg.Client({ ...endpoint, ssl });
  await owner.connect();
  t.teardown(() => owner.end());
  await owner.query(TABLE);
  const { rows } = await owner.query<{ server_version: string }>('SHOW server_version');
  let seenBytes = 0;
  return {
    ...endpoint,
    ...files,
    description: `PostgreSQL ${rows[0]?.server_version} itself`,
    reset: async () => void (await owner.query('TRUNCATE patients')),
    untilNoSession: async () => {
      while ((await owner.query(OTHERS)).rows.length > 0);
    },
    complaints: () => {
      const log = readFileSync(server.logFile);
      const added = log.subarray(seenBytes).toString();
      seenBytes = log.length;
      return added.split('\n').filter((line) => COMPLAINT.test(line));
    },
  };
}
