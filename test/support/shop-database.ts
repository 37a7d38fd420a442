/** A real PostgreSQL for the tests of one file: the database `shop`, with one user. */

import { join } from 'node:path';
import { type RunningPostgres, startPostgres } from '../../emulator/postgres/server.ts';
import { DATABASE_PACKAGE } from './database-package.ts';
import { DATABASE_TEMPLATES } from './database-templates.ts';
import { temporaryFolder } from './temporary-folder.ts';

type Options = Parameters<typeof startPostgres>[0];

export async function startShop(
  t: Parameters<typeof temporaryFolder>[0],
  user: Options['users'][number],
  tls: Options['tls'],
): Promise<RunningPostgres> {
  const server = await startPostgres({
    folder: join(temporaryFolder(t), 'postgres'),
    tls,
    users: [user],
    database: 'shop',
    durable: false,
    removeOnStop: true,
    templates: DATABASE_TEMPLATES,
    packageFolder: DATABASE_PACKAGE,
    signal: AbortSignal.timeout(60_000),
  });
  t.teardown(() => server.stop());
  return server;
}
