/** `enclave.yaml` of either workload: Acra, which is meant where none is named, or any application. */
import { z } from 'zod';
import { type AppEnclaveConfig, appEnclaveSchema } from './app/app-enclave.ts';
import { type EnclaveConfig, enclaveSchema } from './enclave.ts';

/** For `loadConfig` and `readConfig`; `workload` tells the two apart. */
export const anyEnclaveSchema = z.discriminatedUnion('workload', [enclaveSchema, appEnclaveSchema], {
  error: 'must be acra (as when it is left out) or app',
});

export type AnyEnclaveConfig = EnclaveConfig | AppEnclaveConfig;

export function isApp(config: AnyEnclaveConfig): config is AppEnclaveConfig {
  return config.workload === 'app';
}
