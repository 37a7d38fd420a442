/**
 * `egress` of enclave.yaml with `workload: app`: ways out. `routes` are raw TCP, one target each; `http` is a proxy for whatever names the
 * list allows. host-proxy.yaml has the same list, and both ends hold to it; what the enclave allows is measured, and the parent can only
 * allow less. The grammar of the list: wire/egress/ and docs/specs/egress.md.
 */
import { z } from 'zod';
import { egressRuleFault, parseEgressRule } from '../../wire/egress/rule.ts';
import { matcherOf, networkFault } from '../../wire/networks.ts';
import { dialledAddress, routeLimits } from '../fields.ts';
import { loopbackAddress } from './loopback.ts';
import { appVsockPort, defaultEgressPort, EGRESS_HTTP_PORT, routeName } from './route-names.ts';

const MAX_RULES = 1_000;
const MAX_RULE_CHARACTERS = 300;
/** Of one rule for a name, where names are listened on: each is a listener for each name. */
const MAX_TRANSPARENT_PORTS = 16;

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

const egressRule = z
  .string()
  .max(MAX_RULE_CHARACTERS)
  .superRefine((text, context) => {
    const message = egressRuleFault(text);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });
export const egressRules = z.array(egressRule).max(MAX_RULES);

const transparent = z.strictObject({
  dns: loopbackAddress.prefault('tcp://127.0.0.53:53').describe('answers for allowed names only (UDP and TCP)'),
  network: z
    .string()
    .prefault('127.64.0.0/16')
    .superRefine((network, context) => {
      const message = networkFault(network) ?? poolFault(network);
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    })
    .describe('loopback addresses that stand for names'),
});

/** Addresses are given out where programs can reach them, and none that the machine has already. */
function poolFault(network: string): string | undefined {
  const [base = '', prefix] = network.split('/');
  const isLoopback = matcherOf(['127.0.0.0/8'])(base) && Number(prefix) >= 9 && Number(prefix) <= 24;
  if (isLoopback && !matcherOf([network])('127.0.0.1')) return undefined;
  return 'must be a network of 127.0.0.0/8 with a prefix from 9 to 24, and without 127.0.0.1, such as 127.64.0.0/16';
}

const httpProxy = z
  .strictObject({
    listen: loopbackAddress
      .prefault('tcp://127.0.0.1:10000')
      .describe('the proxy; its variables are set for all programs'),
    vsockPort: appVsockPort.prefault(EGRESS_HTTP_PORT).describe('the same in host-proxy.yaml'),
    allow: egressRules.describe(
      'NAME, *.NAME (one label), **.NAME (one or more), ADDRESS or CIDR (IPv6 in brackets), each with :PORT or :FROM-TO; default port 443',
    ),
    deny: egressRules.default([]).describe('the same; what is denied is denied whatever allows it'),
    transparent: transparent
      .optional()
      .describe('for programs that ignore proxy variables: allowed names resolve to loopback addresses that lead out'),
    limits: routeLimits(),
  })
  .superRefine(({ allow, transparent: asked }, context) => {
    if (asked === undefined) return;
    for (const [index, text] of allow.entries()) {
      if (egressRuleFault(text) !== undefined) continue;
      const rule = parseEgressRule(text);
      if (rule.kind === 'network' || rule.to - rule.from < MAX_TRANSPARENT_PORTS) continue;
      const message = `must name at most ${MAX_TRANSPARENT_PORTS} ports with transparent: each is listened on for each name`;
      context.addIssue({ code: 'custom', path: ['allow', index], message });
    }
    if (networkFault(asked.network) === undefined && matcherOf([asked.network])(asked.dns.host))
      context.addIssue({
        code: 'custom',
        path: ['transparent', 'network'],
        message: 'must not hold the address of dns',
      });
  });
export type HttpEgress = z.output<typeof httpProxy>;

export const appEgressSection = z
  .strictObject({ routes: z.record(routeName, rawRoute).prefault({}), http: httpProxy.optional() })
  .prefault({});
export type AppEgress = z.output<typeof appEgressSection>;
