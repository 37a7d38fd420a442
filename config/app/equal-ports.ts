/** vsock ports that a configuration of an application gives to two ways. */
import { HEARTBEAT_PORT } from '../../wire/routes.ts';

export interface Ways<In, Out> {
  readonly ports: Readonly<Record<string, number>>;
  readonly ingress: Readonly<Record<string, In>>;
  readonly egress: {
    readonly routes: Readonly<Record<string, Out>>;
    readonly http?: { readonly vsockPort: number } | undefined;
  };
}

/** Where in the file it stands, or would. */
type NamedPort = readonly [path: readonly string[], port: number];

/** @param ingressPort of one of `ingress` @param routePort of one of `egress.routes` */
export function equalPorts<In, Out>(
  { ports, ingress, egress }: Ways<In, Out>,
  ingressPort: (way: In) => number,
  routePort: (way: Out) => number,
): readonly { readonly path: readonly string[]; readonly message: string }[] {
  const named: readonly NamedPort[] = [
    [['the heartbeat of the machine'], HEARTBEAT_PORT],
    ...Object.entries(ports).map(([label, port]): NamedPort => [['ports', label], port]),
    ...Object.entries(ingress).map(([name, way]): NamedPort => [['ingress', name, 'vsockPort'], ingressPort(way)]),
    ...Object.entries(egress.routes).map(
      ([name, way]): NamedPort => [['egress', 'routes', name, 'vsockPort'], routePort(way)],
    ),
    ...(egress.http === undefined ? [] : [[['egress', 'http', 'vsockPort'], egress.http.vsockPort] as const]),
  ];
  return named.flatMap(([path, port], index) => {
    const other = named.slice(0, index).find(([, before]) => before === port);
    if (other === undefined) return [];
    return [{ path, message: `would be ${port}, the vsock port of ${other[0].join('.')} too; give it another` }];
  });
}
