/** `host-proxy.yaml` for an enclave with `workload: app`: its ways in and out on the parent's side. Not measured, not trusted. */
import { z } from 'zod';
import { address, dialledAddress } from '../fields.ts';
import { balancers } from '../route-fields.ts';
import { egressRules } from './egress.ts';
import { equalPorts, type Ways } from './equal-ports.ts';
import { appVsockPort, EGRESS_HTTP_PORT, routeName } from './route-names.ts';

const httpEgress = z
  .strictObject({
    vsockPort: appVsockPort.prefault(EGRESS_HTTP_PORT),
    allow: egressRules.describe('as in enclave.yaml; what only one of both lists allows is refused'),
    deny: egressRules.default([]).describe('holds for the addresses too to which an allowed name leads'),
  })
  .describe('the parent’s end of the HTTP proxy of enclave.yaml’s egress.http');

/** Sections that stand in the place of `ingress` and `database`. */
export const appHostSections = {
  ingress: z
    .record(
      routeName,
      z.strictObject({ listen: address('tcp', 'unix'), vsockPort: appVsockPort, proxyProtocol: balancers }),
    )
    .prefault({})
    .describe('where clients reach the ports of enclave.yaml’s ingress'),
  egress: z
    .strictObject({
      routes: z
        .record(routeName, z.strictObject({ connect: dialledAddress('tcp', 'unix'), vsockPort: appVsockPort }))
        .prefault({}),
      http: httpEgress.optional(),
    })
    .prefault({}),
};

interface Ported {
  readonly vsockPort: number;
}

/** What the sections say against each other. */
export function appHostFaults(sections: Ways<Ported, Ported>) {
  const portOf = ({ vsockPort }: Ported) => vsockPort;
  return equalPorts(sections, portOf, portOf);
}
