/**
 * `enclave.yaml` with `workload: app`: any application in the enclave, with the ways in and out that it needs
 * (docs/decisions/0028-any-application.md). Measured like every enclave.yaml; nothing in it can be overridden by the parent.
 */
import { z } from 'zod';
import { APP_ROUTES } from '../../wire/routes.ts';
import { durationMs } from '../fields.ts';
import { portTable } from '../route-fields.ts';
import { enclaveName, entropySection, healthSection, imdsSection, restartSection } from '../supervision.ts';
import { appTlsFaults, appTlsSection } from '../tls.ts';
import { appFaults } from './app-faults.ts';
import { appEgressSection } from './egress.ts';
import { appIngressSection } from './ingress.ts';
import { kmsProxySection } from './kms-proxy.ts';
import { programsSection } from './programs.ts';

const deadlines = z
  .strictObject({
    egressMs: durationMs(10_000),
    credentialsMs: durationMs(300_000),
    kmsEntropyMs: durationMs(300_000),
    kmsProxyMs: durationMs(10_000),
    programsMs: durationMs(600_000).describe('until all programs are ready, and tasks done, one after the other'),
    readyMs: durationMs(60_000),
  })
  .prefault({})
  .describe('how long each boot phase after this file is read may take');

export const appEnclaveSchema = z
  .strictObject({
    version: z.literal(1),
    workload: z.literal('app'),
    name: enclaveName,
    programs: programsSection,
    ingress: appIngressSection,
    egress: appEgressSection,
    kmsProxy: kmsProxySection,
    tls: appTlsSection.describe('the key of ways in with tls: ended, which the enclave makes itself'),
    imds: imdsSection,
    entropy: entropySection.describe('kms: as with workload: acra; default: optional with kmsProxy, else off'),
    ports: portTable(APP_ROUTES),
    deadlines,
    restart: restartSection,
    health: healthSection,
  })
  .superRefine((sections, context) => {
    const endsTls = Object.values(sections.ingress).some(({ tls }) => tls === 'ended');
    for (const { path, message } of [...appFaults(sections), ...appTlsFaults(sections.tls, endsTls)])
      context.addIssue({ code: 'custom', path: [...path], message });
  })
  .describe('enclave.yaml with workload: app; measured');
export type AppEnclaveConfig = z.output<typeof appEnclaveSchema>;
