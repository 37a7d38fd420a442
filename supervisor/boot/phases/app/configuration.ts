/** Reads the measured configuration of an enclave with any application. Nothing in it comes from the parent. */
import { join } from 'node:path';
import { type AppEnclaveConfig, appEnclaveSchema } from '../../../../config/app/app-enclave.ts';
import { loadConfig } from '../../../../config/load.ts';
import { certificateEnds as readCertificateEnds } from '../../../../keys/tls/folder-certificates.ts';
import type { CertificateEnd } from '../../../../wire/certificate-end.ts';
import type { Phase } from '../../phase.ts';
import type { BootStart } from '../../start.ts';
import { tellEnds } from '../configuration.ts';

export interface AppConfigured {
  readonly config: AppEnclaveConfig;
  /** Absolute path of a file that the configuration names. */
  readonly pathOf: (file: string) => string;
  readonly certificateEnds: readonly CertificateEnd[];
}

export const appConfigurationPhase: Phase<BootStart, AppConfigured> = {
  name: 'configuration',
  deadlineMs: () => 10_000,
  async run({ folder }, { logger, clock }) {
    const config = loadConfig(appEnclaveSchema, join(folder, 'enclave.yaml'));
    logger.log('info', 'configuration.read', { name: config.name, workload: config.workload });
    const certificateEnds = readCertificateEnds(folder, config, clock.nowMs());
    tellEnds(certificateEnds, clock.nowMs(), logger);
    return { config, pathOf: (file) => join(folder, file), certificateEnds };
  },
};
