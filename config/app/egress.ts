/**
 * `egress` of enclave.yaml with `workload: app`: ways out. `routes` are raw TCP, one target each; `http` is a proxy for whatever names the
 * list allows. host-proxy.yaml has the same list, and both ends hold to it; what the enclave allows is measured, and the parent can only
 * allow less. The grammar of the list: wire/egress/ and docs/specs/egress.md.
 */
import { z } from 'zod';
import { address, routeLimits } from '../fields.ts';
import { appVsockPort, EGRESS_HTTP_PORT, routeName } from './route-names.ts';

const MAX_RULES = 1_000;

/** `db.example.org:5432` */
const target = z.string().regex(/^(\[[0-9a-fA-F:]+\]|[^\s/@:[\]]{1,253}):\d{1,5}$/, {
  error: 'must be HOST:PORT, an IPv6 address in brackets',
});

const rawRoute = z.strictObject({
  to: target.describe('name or address, and port, of what is reached; the parent connects to it in our name'),
  listen: address('tcp').describe('where programs find it inside the enclave, on the loopback interface'),
  hostsEntry: z
    .boolean()
    .default(true)
    .describe('the name of `to` leads to `listen` for programs in the enclave (/etc/hosts)'),
  vsockPort: appVsockPort.optional().describe('the same in host-proxy.yaml; default: 20000 and the port of `to`'),
  limits: routeLimits(),
});
export type RawEgress = z.output<typeof rawRoute>;

export const egressRules = z.array(z.string().min(1).max(300)).max(MAX_RULES);

const httpProxy = z.strictObject({
  listen: address('tcp')
    .prefault('tcp://127.0.0.1:10000')
    .describe('the proxy; its variables are set for all programs'),
  vsockPort: appVsockPort.prefault(EGRESS_HTTP_PORT).describe('the same in host-proxy.yaml'),
  allow: egressRules.describe(
    'NAME, *.NAME (one label), **.NAME (one or more), ADDRESS or CIDR, each with :PORT; default port 443',
  ),
  deny: egressRules.default([]).describe('the same; what is denied is denied whatever allows it'),
  transparent: z
    .strictObject({
      dns: address('tcp').prefault('tcp://127.0.0.53:53').describe('answers for allowed names only (UDP and TCP)'),
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
