/** `connect` in this process: over a private folder, towards an enclave of a test, with what a careful user demands. */
import { join } from 'node:path';
import pg from 'pg';
import type { Test } from 'tap';
import { Connector, type ConnectorDeps } from '../../../../cli/connect/connector.ts';
import { toSecureContext, Upstream } from '../../../../cli/connect/upstream.ts';
import { fetchDirect } from '../../../../cli/verify/fetch-direct.ts';
import { startPostgres } from '../../../../emulator/postgres/server.ts';
import { systemClock } from '../../../../runtime/clock.ts';
import { systemRandom } from '../../../../runtime/random.ts';
import type { TcpEndpoint } from '../../../../wire/endpoint.ts';
import { demands } from '../../../attestation/verify/support/evidence.ts';
import { GOOD, makeCertificate } from '../../../keys/support/certificate-maker.ts';
import { DATABASE_TEMPLATES } from '../../../support/database-templates.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

export const USER = { name: 'app', password: 'secret' } as const;
export const DATABASE = 'shop';
export const step = () => AbortSignal.timeout(60_000);

export async function database(t: Test): Promise<TcpEndpoint> {
  const running = await startPostgres({
    folder: temporaryFolder(t),
    users: [USER],
    database: DATABASE,
    tls: undefined,
    durable: false,
    templates: DATABASE_TEMPLATES,
    signal: step(),
  });
  t.teardown(() => running.stop());
  return { kind: 'tcp', host: running.host, port: running.port };
}

export interface Connecting {
  readonly connector: Connector;
  /** What libpq calls the host. */
  readonly folder: string;
  readonly failures: unknown[];
  /** For each verification that passed: whether it brought another key. */
  readonly verified: boolean[];
  client(): pg.Client;
}

/** Nothing is started. */
export function connecting(t: Test, address: TcpEndpoint, changes: Partial<ConnectorDeps> = {}): Connecting {
  const folder = join(temporaryFolder(t), 'socket');
  const { pem, keyPem } = makeCertificate({ ...GOOD.client, subject: 'application' }, Date.now());
  const failures: unknown[] = [];
  const verified: boolean[] = [];
  const connector = new Connector({
    upstream: new Upstream(address, toSecureContext({ certificate: Buffer.from(pem), key: Buffer.from(keyPem) })),
    fetch: (nonce, signal) => fetchDirect(address, nonce, signal),
    demands: async () => demands,
    local: { kind: 'folder', folder },
    verifyEveryMs: 3_600_000,
    clock: systemClock,
    random: systemRandom,
    onVerified: (_report, isNewKey) => verified.push(isNewKey),
    onFailure: (error) => failures.push(error),
    ...changes,
  });
  t.teardown(() => connector.stop());
  const client = () => {
    const made = new pg.Client({ host: folder, user: USER.name, password: USER.password, database: DATABASE });
    return made.on('error', () => undefined);
  };
  return { connector, folder, failures, verified, client };
}

/** Of a client that cannot connect: what it is told. */
export async function refusalOf(client: pg.Client): Promise<{ readonly code: unknown; readonly message: string }> {
  const error: unknown = await client.connect().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  await client.end().catch(() => undefined);
  if (error instanceof Error) return { code: 'code' in error ? error.code : undefined, message: error.message };
  throw new Error('the client was let in', { cause: error });
}
