/** `host-proxy.yaml` for an enclave with `workload: app`: its ways in and out on the parent's side. Not measured, not trusted. */
import { z } from 'zod';
import { address, dialledAddress } from '../fields.ts';
import { egressRules } from './egress.ts';
import { appVsockPort, EGRESS_HTTP_PORT, routeName } from './route-names.ts';

/** Sections that stand in the place of `ingress` and `database`. */
export const appHostSections = {
  ingress: z
    .record(routeName, z.strictObject({ listen: address('tcp', 'unix'), vsockPort: appVsockPort }))
    .prefault({})
    .describe('where clients reach the ports of enclave.yaml’s ingress'),
  egress: z
    .strictObject({
      routes: z
        .record(routeName, z.strictObject({ connect: dialledAddress('tcp', 'unix'), vsockPort: appVsockPort }))
        .prefault({}),
      http: z
        .strictObject({
          vsockPort: appVsockPort.prefault(EGRESS_HTTP_PORT),
          allow: egressRules,
          deny: egressRules.default([]),
        })
        .optional(),
    })
    .prefault({}),
};
