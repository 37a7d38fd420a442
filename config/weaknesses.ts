/** What a configuration of acra-server is allowed to give up, for whoever checks it and whoever builds an image of it (docs/threat-model.md). */
import type { EnclaveConfig } from './enclave.ts';
import { guardWarnings } from './guard.ts';
import { keysWarnings } from './keys.ts';
import { rdsIamWarnings } from './rds-iam.ts';

export function weaknessesOf(config: EnclaveConfig): readonly string[] {
  return [...guardWarnings(config.guard), ...keysWarnings(config), ...rdsIamWarnings(config)];
}
