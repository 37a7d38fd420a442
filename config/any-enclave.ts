/** `enclave.yaml` of either workload: Acra, which is meant where none is named, or any application. */
import { z } from 'zod';
import { type AppEnclaveConfig, appEnclaveSchema } from './app/app-enclave.ts';
import { type EnclaveConfig, enclaveSchema } from './enclave.ts';
import { readConfigFile } from './load.ts';
import { parseYaml } from './yaml.ts';

/** For `loadConfig` and `readConfig`; `workload` tells the two apart. */
export const anyEnclaveSchema = z.discriminatedUnion('workload', [enclaveSchema, appEnclaveSchema], {
  error: 'must be acra (as when it is left out) or app',
});

export type AnyEnclaveConfig = EnclaveConfig | AppEnclaveConfig;

export function isApp(config: AnyEnclaveConfig): config is AppEnclaveConfig {
  return config.workload === 'app';
}

/** Also of a file with faults, so that it is judged by the schema that it is meant for. @returns acra for one that cannot be read at all */
export function workloadOf(file: string): 'acra' | 'app' {
  try {
    const { value } = parseYaml(readConfigFile(file), file, { scalars: 'typed' });
    const isNamed = typeof value === 'object' && value !== null && Reflect.get(value, 'workload') === 'app';
    return isNamed ? 'app' : 'acra';
  } catch {
    return 'acra';
  }
}
