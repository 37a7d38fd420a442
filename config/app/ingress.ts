/** `ingress` of enclave.yaml with `workload: app`: ways in, one for each port of the application that clients may reach. */
import { z } from 'zod';
import { count, durationMs, fileInFolder, routeLimits } from '../fields.ts';
import { minTlsOfClients } from '../ingress.ts';
import { revokedList } from '../revoked.ts';
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
    revoked: revokedList.describe('with clientCa, certificates that are refused, and those that they have issued'),
    proxyProtocol: z
      .boolean()
      .default(false)
      .describe('send the program a header of the PROXY protocol, version 2: whose connection host-proxy says it is'),
    handshakeMs: durationMs(10_000).describe('with tls: ended, from accept to the end of the handshake'),
    maxConnectionsPerAddress: count(100, 100_000).describe(
      'with tls: ended, connections of one IPv4 address or IPv6 /64 at once, as host-proxy tells addresses; of more the oldest that ' +
        'has not ended its handshake goes, and where all have the new one',
    ),
    limits: routeLimits().describe(
      'prefaceTimeoutMs: with protocol: http, from the handshake to the end of the first request’s head',
    ),
  })
  .superRefine(({ tls, protocol, clientCa, revoked }, context) => {
    const fault = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if (tls === 'passed' && protocol === 'http')
      fault('protocol', 'must be tcp with tls: passed: nobody reads the bytes');
    if (tls === 'passed' && clientCa !== undefined) fault('clientCa', 'must be left out with tls: passed');
    if (clientCa === undefined && revoked.length > 0) fault('revoked', 'must be left out without clientCa');
  });
export type IngressPort = z.output<typeof port>;

export const appIngressSection = z.record(routeName, port).prefault({});

export function vsockPortOf({ vsockPort, to }: IngressPort): number {
  return vsockPort ?? to.port;
}
