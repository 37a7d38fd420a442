/**
 * `egress` of enclave.yaml with `workload: app`: ways out. `routes` are raw TCP, one target each; `http` is a proxy for whatever names the
 * list allows. host-proxy.yaml has the same list, and both ends hold to it; what the enclave allows is measured, and the parent can only
 * allow less. The grammar of the list: wire/egress/ and docs/specs/egress.md.
 */
import { z } from 'zod';
import { dialledAddress, routeLimits } from '../fields.ts';
import { loopbackAddress } from './loopback.ts';
import { appVsockPort, defaultEgressPort, EGRESS_HTTP_PORT, routeName } from './route-names.ts';

const MAX_RULES = 1_000;

/** `db.example.org:5432`: an address as `tcp://` takes it, without the scheme. */
const target = z.string().refine((text) => dialledAddress('tcp').safeParse(`tcp://${text}`).success, {
  error: 'must be HOST:PORT, an IPv6 address in brackets',
});

const rawRoute = z.strictObject({
  to: target.describe('name or address, and port, of what is reached; the parent connects to it in our name'),
  listen: loopbackAddress.describe('where programs find it inside the enclave, on the loopback interface'),
  hostsEntry: z
    .boolean()
    .default(true)
    .describe('the name of `to` leads to `listen` for programs in the enclave (/etc/hosts)'),
  vsockPort: appVsockPort.optional().describe('the same in host-proxy.yaml; default: 20000 and the port of `to`'),
  limits: routeLimits(),
});
export type RawEgress = z.output<typeof rawRoute>;

/** The name or address of `to`, without brackets, and its port. */
export function targetOf({ to }: Pick<RawEgress, 'to'>): { readonly host: string; readonly port: number } {
  const colon = to.lastIndexOf(':');
  return { host: to.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(to.slice(colon + 1)) };
}

export function egressPortOf(route: Pick<RawEgress, 'to' | 'vsockPort'>): number {
  return route.vsockPort ?? defaultEgressPort(targetOf(route).port);
}

export const egressRules = z.array(z.string().min(1).max(300)).max(MAX_RULES);

const httpProxy = z.strictObject({
  listen: loopbackAddress
    .prefault('tcp://127.0.0.1:10000')
    .describe('the proxy; its variables are set for all programs'),
  vsockPort: appVsockPort.prefault(EGRESS_HTTP_PORT).describe('the same in host-proxy.yaml'),
  allow: egressRules.describe(
    'NAME, *.NAME (one label), **.NAME (one or more), ADDRESS or CIDR, each with :PORT; default port 443',
  ),
  deny: egressRules.default([]).describe('the same; what is denied is denied whatever allows it'),
  transparent: z
    .strictObject({
      dns: loopbackAddress.prefault('tcp://127.0.0.53:53').describe('answers for allowed names only (UDP and TCP)'),
      network: z.string().prefault('127.64.0.0/16').describe('loopback addresses that stand for names'),
    })
    .optional()
    .describe('for programs that ignore proxy variables: allowed names resolve to loopback addresses that lead out'),
  limits: routeLimits(),
});
export type HttpEgress = z.output<typeof httpProxy>;

export const appEgressSection = z
  .strictObject({ routes: z.record(routeName, rawRoute).prefault({}), http: httpProxy.optional() })
  .prefault({});
export type AppEgress = z.output<typeof appEgressSection>;
