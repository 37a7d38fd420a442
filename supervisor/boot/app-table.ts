/** The boot of an enclave with any application, in order; phases of `table.ts` where they do the same. */

import { BootTable } from './phase.ts';
import { applicationPhase } from './phases/app/application.ts';
import { appConfigurationPhase } from './phases/app/configuration.ts';
import { appEgressPhase } from './phases/app/egress.ts';
import { appIngressPhase } from './phases/app/ingress.ts';
import { kmsProxyPhase } from './phases/app/kms-proxy.ts';
import { programsPhase } from './phases/app/programs.ts';
import { appReadyPhase } from './phases/app/ready.ts';
import { certificatePhase } from './phases/certificate.ts';
import { clockPhase } from './phases/clock.ts';
import { clockKeptPhase } from './phases/clock-kept.ts';
import { commitmentPhase } from './phases/commitment.ts';
import { controlPhase } from './phases/control.ts';
import { credentialsPhase } from './phases/credentials.ts';
import { entropyPhase } from './phases/entropy.ts';
import { heartbeatPhase } from './phases/heartbeat.ts';
import { kmsEntropyPhase } from './phases/kms-entropy.ts';
import { machinePhase } from './phases/machine.ts';
import { nsmPhase } from './phases/nsm.ts';
import { appRequestsPhase } from './phases/requests.ts';
import { tlsKeyPhase } from './phases/tls-key.ts';
import type { BootStart } from './start.ts';

export const appTable = BootTable.empty<BootStart>()
  .phase(machinePhase)
  .phase(controlPhase)
  .phase(nsmPhase)
  .phase(entropyPhase)
  .phase(clockPhase)
  .phase(appConfigurationPhase)
  .phase(tlsKeyPhase)
  .phase(commitmentPhase)
  .phase(appRequestsPhase)
  .phase(clockKeptPhase)
  .phase(applicationPhase)
  .phase(heartbeatPhase)
  .phase(appEgressPhase)
  .phase(credentialsPhase)
  .phase(kmsEntropyPhase)
  .phase(kmsProxyPhase)
  .phase(certificatePhase)
  .phase(programsPhase)
  .phase(appIngressPhase)
  .phase(appReadyPhase);
