/** What a guard is told first: where it listens and finds its engine, what it protects, and whom its clients may be. */
import { loginOf } from '../../../config/user-secrets.ts';
import type { ServeGuard } from '../../../sessions/messages.ts';
import { tellTables } from '../../../sessions/protected-tables.ts';
import type { SessionsDeps } from './sessions-deps.ts';

type OfIdentity = Pick<ServeGuard, 'listenPath' | 'acraPath' | 'enginePort' | 'users'>;
type OfEnclave = Pick<SessionsDeps, 'config' | 'databaseTarget' | 'tables' | 'guardList'>;

export function serveGuard(own: OfIdentity, { config, databaseTarget, tables, guardList }: OfEnclave): ServeGuard {
  const { mode, relations, migrations, slowStatementMs } = config.guard;
  return {
    type: 'serve',
    ...own,
    poisonDetection: config.acra.poisonDetection,
    tables: tellTables(tables),
    policy: { relations, list: guardList },
    migrations,
    mode,
    slowStatementMs,
    database: databaseTarget,
    login: loginOf(config.database),
    maxMessageBytes: config.ingress.limits.maxMessageBytes,
  };
}
