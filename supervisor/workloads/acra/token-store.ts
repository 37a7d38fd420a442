/** Where an acra-server keeps tokens, as its command line names it. */
import type { TokenStore } from '../../../acra/server/options.ts';
import type { TcpEndpoint } from '../../../wire/endpoint.ts';
import type { WorkloadDeps } from '../workload.ts';

/** @param route the way to it; undefined: there is none */
export function tokenStore(
  { config, pathOf }: Pick<WorkloadDeps, 'config' | 'pathOf'>,
  route: TcpEndpoint | undefined,
): TokenStore | undefined {
  const { tokens } = config.acra;
  if (tokens === undefined || route === undefined) return undefined;
  const { serverName, database, ca } = tokens;
  return { host: route.host, port: route.port, serverName, database, caFile: pathOf(ca) };
}
