/** The boot of an enclave with Acra, in order. Each phase needs only what the ones above it gave; the compiler checks that. */
import { BootTable } from './phase.ts';
import { acraPhase } from './phases/acra.ts';
import { certificatePhase } from './phases/certificate.ts';
import { clockPhase } from './phases/clock.ts';
import { clockKeptPhase } from './phases/clock-kept.ts';
import { commitmentPhase } from './phases/commitment.ts';
import { configurationPhase } from './phases/configuration.ts';
import { controlPhase } from './phases/control.ts';
import { credentialsPhase } from './phases/credentials.ts';
import { egressPhase } from './phases/egress.ts';
import { entropyPhase } from './phases/entropy.ts';
import { heartbeatPhase } from './phases/heartbeat.ts';
import { keySetPhase } from './phases/key-set.ts';
import { keystorePhase } from './phases/keystore.ts';
import { kmsEntropyPhase } from './phases/kms-entropy.ts';
import { machinePhase } from './phases/machine.ts';
import { masterKeyPhase } from './phases/master-key.ts';
import { nsmPhase } from './phases/nsm.ts';
import { readyPhase } from './phases/ready.ts';
import { requestsPhase } from './phases/requests.ts';
import { tlsKeyPhase } from './phases/tls-key.ts';
import type { AcraStart } from './start.ts';

export const bootTable = BootTable.empty<AcraStart>()
  .phase(machinePhase)
  .phase(controlPhase)
  .phase(nsmPhase)
  .phase(entropyPhase)
  .phase(clockPhase)
  .phase(configurationPhase)
  .phase(tlsKeyPhase)
  .phase(commitmentPhase)
  .phase(requestsPhase)
  .phase(clockKeptPhase)
  .phase(heartbeatPhase)
  .phase(egressPhase)
  .phase(credentialsPhase)
  .phase(kmsEntropyPhase)
  .phase(keySetPhase)
  .phase(masterKeyPhase)
  .phase(keystorePhase)
  .phase(certificatePhase)
  .phase(acraPhase)
  .phase(readyPhase);
