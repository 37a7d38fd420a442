/** The parts of both configuration files that follow from the table of routes (wire/routes.ts). */
import { z } from 'zod';
import type { VsockPort } from '../wire/brands.ts';
import { toVsockPort } from '../wire/brands.ts';
import type { TcpEndpoint, UnixEndpoint } from '../wire/endpoint.ts';
import type { LabelsWith, PortLabel, RouteTable } from '../wire/routes.ts';
import { defaultPorts, HEARTBEAT_PORT, routesWith } from '../wire/routes.ts';
import { address, dialledAddress } from './fields.ts';

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
type Sections<Table extends RouteTable> = {
  readonly [Label in LabelsWith<Table, 'connect'>]: z.ZodType<{ readonly connect: Address }>;
} & {
  readonly [Label in LabelsWith<Table, 'listen'>]: z.ZodType<{ readonly listen: Address }>;
};

/** `<label>: { connect }` and `<label>: { listen }` of host-proxy.yaml; a section may be left out when its address has a default. */
export function routeSections<Table extends RouteTable>(table: Table): Sections<Table> {
  const sections = routesWith(table, 'connect', 'listen').map(([label, { outside }]) => {
    const defaultAddress = 'default' in outside ? outside.default : undefined;
    const field = outside.kind === 'connect' ? dialledAddress('tcp', 'unix') : address('tcp', 'unix');
    if (defaultAddress === undefined) return [label, z.strictObject({ [outside.kind]: field })] as const;
    return [label, z.strictObject({ [outside.kind]: field.prefault(defaultAddress as string) }).prefault({})] as const;
  });
  return Object.fromEntries(sections) as never;
}
