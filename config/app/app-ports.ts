/** The vsock ports of an application's ways, as either file names them. */
import type { AppPorts } from '../../wire/app-ports.ts';
import { appRouteLabel, EGRESS_HTTP_LABEL } from '../../wire/routes.ts';
import type { AppHostConfig } from '../host-proxy.ts';
import { KMS_ROUTES } from '../key-keeper.ts';
import type { AppEnclaveConfig } from './app-enclave.ts';
import { egressPortOf } from './egress.ts';
import { vsockPortOf } from './ingress.ts';

type Routes<Route> = Readonly<Record<string, Route>>;

function labelled<Route>(direction: 'ingress' | 'egress', routes: Routes<Route>, portOf: (route: Route) => number) {
  return Object.fromEntries(
    Object.entries(routes).map(([name, route]) => [appRouteLabel(direction, name), portOf(route)]),
  );
}

const http = (section: { readonly vsockPort: number } | undefined) =>
  section === undefined ? {} : { [EGRESS_HTTP_LABEL]: section.vsockPort };

export function portsOfEnclave({ ingress, egress, ports, kmsProxy }: AppEnclaveConfig): AppPorts {
  const services = new Set(kmsProxy?.regions.map(({ route }) => route));
  return {
    inward: labelled('ingress', ingress, vsockPortOf),
    outward: {
      control: ports.control,
      ...Object.fromEntries([...services].map((route) => [route, ports[route]])),
      ...labelled('egress', egress.routes, egressPortOf),
      ...http(egress.http),
    },
  };
}

export function portsOfHost(config: AppHostConfig): AppPorts {
  const { ingress, egress, ports } = config;
  const services = KMS_ROUTES.filter((route) => config[route] !== undefined);
  return {
    inward: labelled('ingress', ingress, ({ vsockPort }) => vsockPort),
    outward: {
      control: ports.control,
      ...Object.fromEntries(services.map((route) => [route, ports[route]])),
      ...labelled('egress', egress.routes, ({ vsockPort }) => vsockPort),
      ...http(egress.http),
    },
  };
}
