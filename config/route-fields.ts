/** The parts of both configuration files that follow from the table of routes (wire/routes.ts). */
import { z } from 'zod';
import type { VsockPort } from '../wire/brands.ts';
import { toVsockPort } from '../wire/brands.ts';
import type { TcpEndpoint, UnixEndpoint } from '../wire/endpoint.ts';
import { networkFault } from '../wire/networks.ts';
import type { LabelsWith, PortLabel, RouteTable } from '../wire/routes.ts';
import { defaultPorts, HEARTBEAT_PORT, routesWith } from '../wire/routes.ts';
import { address, dialledAddress } from './fields.ts';

/** Each is looked at for each connection. */
const MAX_NETWORKS = 100;

const network = z.string().superRefine((text, context) => {
  const fault = networkFault(text);
  if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
});

export const balancers = z
  .strictObject({
    from: z
      .array(network)
      .min(1, { error: 'must name at least one network' })
      .max(MAX_NETWORKS, { error: `must have at most ${MAX_NETWORKS} entries` })
      .describe(
        "the load balancers' networks. Whoever connects from there must send a header of the PROXY protocol, version 2, and " +
          'counts for whom it names; from anywhere else none is taken',
      ),
  })
  .optional();

const vsockPort = (defaultPort: number) =>
  z
    .int()
    .min(1)
    .max(0xffff_fffe)
    .refine((port) => port !== HEARTBEAT_PORT, {
      error: `port ${HEARTBEAT_PORT} is nitro-cli's heartbeat; use another`,
    })
    .default(defaultPort)
    .transform(toVsockPort);

/** One port a route; both files must state the same ones. */
export function portTable<Table extends RouteTable>(table: Table) {
  const shape = Object.fromEntries(
    Object.entries<number>(defaultPorts(table)).map(([label, port]) => [label, vsockPort(port)]),
  );
  return z
    .strictObject(shape as Record<PortLabel<Table>, ReturnType<typeof vsockPort>>)
    .refine((ports) => new Set(Object.values(ports)).size === Object.keys(ports).length, {
      error: 'two entries name the same port; each needs its own',
    })
    .prefault({} as never)
    .describe('vsock ports; the same on both sides') as z.ZodType<Readonly<Record<PortLabel<Table>, VsockPort>>>;
}

type Address = TcpEndpoint | UnixEndpoint;
type ConnectSection<Declaration> = Declaration extends { readonly outside: { readonly isOptional: true } }
  ? { readonly connect: Address } | undefined
  : { readonly connect: Address };
type Sections<Table extends RouteTable> = {
  readonly [Label in LabelsWith<Table, 'connect'>]: z.ZodType<ConnectSection<Table[Label]>>;
} & {
  readonly [Label in LabelsWith<Table, 'listen'>]: z.ZodType<{
    readonly listen: Address;
    readonly proxyProtocol?: z.output<typeof balancers>;
  }>;
};

/** `<label>: { connect }` and `<label>: { listen }` of host-proxy.yaml; a section may be left out when its address has a default. */
export function routeSections<Table extends RouteTable>(table: Table): Sections<Table> {
  const sections = routesWith(table, 'connect', 'listen').map(([label, { outside }]) => {
    const defaultAddress = 'default' in outside ? outside.default : undefined;
    const field = outside.kind === 'connect' ? dialledAddress('tcp', 'unix') : address('tcp', 'unix');
    const others = outside.kind === 'listen' ? { proxyProtocol: balancers } : {};
    const plain = z.strictObject({ [outside.kind]: field, ...others });
    if ('isOptional' in outside) return [label, plain.optional()] as const;
    if (defaultAddress === undefined) return [label, plain] as const;
    const withDefault = field.prefault(defaultAddress as string);
    return [label, z.strictObject({ [outside.kind]: withDefault, ...others }).prefault({})] as const;
  });
  return Object.fromEntries(sections) as never;
}
