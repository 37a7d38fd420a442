/** Reads the measured configuration. Nothing in it comes from the parent, and nothing in it can be overridden there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEncryptorConfig } from '../../../acra/encryptor-config/lint.ts';
import type { EnclaveConfig } from '../../../config/enclave.ts';
import { enclaveSchema } from '../../../config/enclave.ts';
import { ConfigError } from '../../../config/errors.ts';
import { loadConfig } from '../../../config/load.ts';
import type { Phase } from '../phase.ts';
import type { BootStart } from '../start.ts';

export interface Configured {
  readonly config: EnclaveConfig;
  /** Absolute path of a file that the configuration names. */
  readonly pathOf: (file: string) => string;
}

export function readMeasured(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new ConfigError('CONFIG_FILE_READ', `cannot read ${file}`, { cause });
  }
}

export const configurationPhase: Phase<BootStart, Configured> = {
  name: 'configuration',
  deadlineMs: () => 10_000,
  run({ folder }, { logger }) {
    const config = loadConfig(enclaveSchema, join(folder, 'enclave.yaml'));
    const pathOf = (file: string) => join(folder, file);
    const encryptorFile = pathOf(config.acra.encryptorConfig);
    parseEncryptorConfig(readMeasured(encryptorFile).toString('utf8'), encryptorFile);
    logger.log('info', 'configuration.read', { name: config.name, keyArn: config.kms.keyArn });
    return Promise.resolve({ config, pathOf });
  },
};
