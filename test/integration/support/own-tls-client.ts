/** Clients of an enclave whose TLS key is its own: node-postgres and psql, with the root that they are given. */
import { execFile, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { ENCLAVE_NAME } from '../../../cli/demo/certificates.ts';
import { APPLICATION, DATABASE } from '../../../cli/demo/database.ts';
import type { ServingStack } from '../../support/stack.ts';

export const PASSWORD = 'of the application';

export const withoutPsql = spawnSync('psql', ['--version']).status === 0 ? false : 'psql is not installed';

/** By SCRAM, bound to the certificate that it is shown. @param ca PEM of its root. @throws what pg and TLS throw */
export async function session({ stack, address }: ServingStack, ca: string): Promise<pg.Client> {
  const { certificatePem: cert, privateKeyPem: key } = stack.parts.certificates.client;
  const ssl = { ca, cert, key, servername: ENCLAVE_NAME };
  const login = { database: DATABASE, user: APPLICATION.user, password: PASSWORD, enableChannelBinding: true };
  const client = new pg.Client({ ...address, ...login, ssl });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

export async function answerOf(client: pg.Client): Promise<unknown> {
  return (await client.query('SELECT 42 AS answer')).rows[0].answer;
}

/** With verify-full. @param ca PEM of its root. @returns what it prints, also of an error */
export async function psql({ stack, address }: ServingStack, ca: string, settings: string): Promise<string> {
  const { certificate, key } = stack.parts.clientFiles;
  const file = join(stack.options.root, 'own-root.pem');
  writeFileSync(file, ca);
  const tls = `sslmode=verify-full sslrootcert=${file} sslcert=${certificate} sslkey=${key}`;
  const where = `host=${ENCLAVE_NAME} hostaddr=${address.host} port=${address.port} dbname=${DATABASE}`;
  const env = { PATH: process.env['PATH'], PGPASSWORD: PASSWORD, HOME: '/nonexistent', LC_ALL: 'C.UTF-8' };
  const words = [`${where} user=${APPLICATION.user} ${tls} ${settings}`, '-AtXc', 'SELECT 42'];
  return promisify(execFile)('psql', words, { env }).then(
    ({ stdout }) => stdout.trim(),
    (error: { stderr: string }) => error.stderr,
  );
}
