/** Logins through the enclave, and what becomes of them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import type { Test } from 'tap';
import { ENCLAVE_NAME } from '../../../cli/demo/certificates.ts';
import { APPLICATION, DATABASE } from '../../../cli/demo/database.ts';
import type { Stack } from '../../../cli/demo/stack.ts';
import type { ServingStack } from '../../support/stack.ts';

export interface Login {
  readonly user?: string;
  readonly database?: string;
  readonly password?: string;
  readonly enableChannelBinding?: boolean;
}

/** A session of node-postgres through the enclave. @throws pg's error */
export async function connect({ stack, address }: ServingStack, login: Login): Promise<pg.Client> {
  const { applicationCaPem, client } = stack.parts.certificates;
  const session = new pg.Client({
    ...address,
    database: DATABASE,
    user: APPLICATION.user,
    ...login,
    ssl: { ca: applicationCaPem, cert: client.certificatePem, key: client.privateKeyPem, servername: ENCLAVE_NAME },
  });
  session.on('error', () => undefined);
  await session.connect();
  return session;
}

/** 'in', or why not: SQLSTATE and message. */
export async function outcome(serving: ServingStack, login: Login = {}): Promise<string> {
  try {
    const session = await connect(serving, login);
    const { rows } = await session.query('SELECT current_user AS name');
    await session.end();
    return `in as ${rows[0].name}`;
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    return `${code} ${message}`;
  }
}

export function keepsOutOfLogs(t: Test, stack: Stack, secrets: readonly string[]): void {
  const folder = join(stack.options.root, 'logs');
  const logs = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'latin1'));
  t.ok(logs.join('').length > 1000);
  for (const secret of secrets)
    for (const form of [secret, Buffer.from(secret).toString('base64'), Buffer.from(secret).toString('hex')])
      t.notOk(logs.some((log) => log.includes(form)));
}
