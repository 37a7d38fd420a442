/** Clients of an enclave whose TLS key is its own: node-postgres and psql, with the root that they are given. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { ENCLAVE_NAME } from '../../../cli/demo/certificates.ts';
import { APPLICATION, DATABASE } from '../../../cli/demo/database.ts';
import type { ServingStack } from '../../support/stack.ts';
import { psqlThrough } from './enclave-psql.ts';

export const PASSWORD = 'of the application';

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
export async function psql(serving: ServingStack, ca: string, settings: string): Promise<string> {
  const root = join(serving.stack.options.root, 'own-root.pem');
  writeFileSync(root, ca);
  return await psqlThrough(serving, { root, password: PASSWORD }, settings);
}
