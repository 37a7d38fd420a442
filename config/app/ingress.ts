/** `ingress` of enclave.yaml with `workload: app`: ways in, one for each port of the application that clients may reach. */
import { z } from 'zod';
import { durationMs, fileInFolder, routeLimits } from '../fields.ts';
import { minTlsOfClients } from '../ingress.ts';
import { loopbackAddress } from './loopback.ts';
import { appVsockPort, routeName } from './route-names.ts';

const port = z
  .strictObject({
    to: loopbackAddress.describe('where the program listens inside the enclave, on the loopback interface'),
    vsockPort: appVsockPort.optional().describe('the same in host-proxy.yaml; default: the port of `to`'),
    tls: z
      .enum(['passed', 'ended'])
      .default('passed')
      .describe(
        'passed: bytes go to the program as they come; ended: TLS ends in the enclave, by the key of section tls, before the program',
      ),
    protocol: z
      .enum(['tcp', 'http'])
      .default('tcp')
      .describe(
        'http: with tls: ended, the program is told in X-Forwarded-* headers; what clients wrote there is dropped',
      ),
    minTls: minTlsOfClients,
    clientCa: fileInFolder.optional().describe('with tls: ended, clients must show a certificate of this CA'),
    proxyProtocol: z
      .boolean()
      .default(false)
      .describe('send the program a header of the PROXY protocol, version 2: whose connection host-proxy says it is'),
    handshakeMs: durationMs(10_000).describe('with tls: ended, from accept to the end of the handshake'),
    limits: routeLimits(),
  })
  .superRefine(({ tls, protocol, clientCa }, context) => {
    const fault = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if (tls === 'passed' && protocol === 'http')
      fault('protocol', 'must be tcp with tls: passed: nobody reads the bytes');
    if (tls === 'passed' && clientCa !== undefined) fault('clientCa', 'must be left out with tls: passed');
  });
export type IngressPort = z.output<typeof port>;

export const appIngressSection = z.record(routeName, port).prefault({});

export function vsockPortOf({ vsockPort, to }: IngressPort): number {
  return vsockPort ?? to.port;
}
