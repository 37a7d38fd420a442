/**
 * `enclave.yaml` with `workload: app`: any application in the enclave, with the ways in and out that it needs
 * (docs/decisions/0028-any-application.md). Measured like every enclave.yaml; nothing in it can be overridden by the parent.
 */
import { z } from 'zod';
import { durationMs } from '../fields.ts';
import { tlsSection } from '../tls.ts';
import { appEgressSection } from './egress.ts';
import { appIngressSection } from './ingress.ts';
import { kmsProxySection } from './kms-proxy.ts';
import { programsSection } from './programs.ts';

export const appEnclaveSchema = z
  .strictObject({
    version: z.literal(1),
    workload: z.literal('app'),
    name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, { error: 'must be lower-case letters, digits and dashes' }),
    programs: programsSection,
    ingress: appIngressSection,
    egress: appEgressSection,
    kmsProxy: kmsProxySection,
    tls: tlsSection.describe('the key of ways in with tls: ended; attested is the only kind'),
    imds: z.strictObject({ requestTimeoutMs: durationMs(5_000) }).prefault({}),
  })
  .describe('enclave.yaml with workload: app; measured');
export type AppEnclaveConfig = z.output<typeof appEnclaveSchema>;
