/** All ends that this daemon has, by the workload of the enclave that it is for. */
import type { HostProxyConfig } from '../config/host-proxy.ts';
import type { RouteSpec } from '../relay/route.ts';
import { APP_ROUTES } from '../wire/routes.ts';
import { appEnclaveRoutes, appPublicRoutes } from './app-routes.ts';
import { enclaveRoutes, publicRoutes, requestRoutes } from './routes.ts';

interface OpenRoutes {
  /** Open as long as the daemon runs. */
  readonly lasting: readonly RouteSpec[];
  /** Open while the enclave serves. */
  readonly public: readonly RouteSpec[];
}

export function routesOf(config: HostProxyConfig): OpenRoutes {
  if (config.workload !== 'app')
    return { lasting: [...enclaveRoutes(config), ...requestRoutes(config)], public: publicRoutes(config) };
  return {
    lasting: [...enclaveRoutes(config, APP_ROUTES), ...appEnclaveRoutes(config), ...requestRoutes(config, APP_ROUTES)],
    public: appPublicRoutes(config),
  };
}
