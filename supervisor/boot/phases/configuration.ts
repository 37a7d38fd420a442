/** Reads the measured configuration. Nothing in it comes from the parent, and nothing in it can be overridden there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { requireCensorConfig } from '../../../acra/censor-config.ts';
import { parseEncryptorConfig } from '../../../acra/encryptor-config/lint.ts';
import type { EncryptorConfig } from '../../../acra/encryptor-config/schema.ts';
import { requireStandInCan } from '../../../acra/encryptor-config/stand-in.ts';
import { tokenUseOf } from '../../../acra/encryptor-config/token-use.ts';
import { requireMigrations } from '../../../acra/migration/faults.ts';
import type { EnclaveConfig } from '../../../config/enclave.ts';
import { enclaveSchema } from '../../../config/enclave.ts';
import { ConfigError } from '../../../config/errors.ts';
import { type GuardList, loadGuardList } from '../../../config/guard-list.ts';
import { loadConfig } from '../../../config/load.ts';
import { requireSealedKeyOf } from '../../../keys/sealed-server-key.ts';
import { certificateEnds as readCertificateEnds } from '../../../keys/tls/folder-certificates.ts';
import type { Logger } from '../../../runtime/log.ts';
import type { CertificateEnd } from '../../../wire/certificate-end.ts';
import { lifeOf } from '../../../wire/certificate-end.ts';
import type { Phase } from '../phase.ts';
import type { AcraStart } from '../start.ts';

export interface Configured {
  readonly config: EnclaveConfig;
  /** Absolute path of a file that the configuration names. */
  readonly pathOf: (file: string) => string;
  readonly encryptorConfig: EncryptorConfig;
  /** What may receive values beside the protected tables. */
  readonly guardList: GuardList;
  /** One for each certificate file of the measured folder that can be read. */
  readonly certificateEnds: readonly CertificateEnd[];
}

export function readMeasured(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new ConfigError('CONFIG_FILE_READ', `cannot read ${file}`, { cause });
  }
}

const EVENTS = {
  valid: ['info', 'certificate.valid'],
  ending: ['warn', 'certificate.ending'],
  expired: ['error', 'certificate.expired'],
} as const;

/** An expired one does not end the boot: clients may not ask, or the clock may be wrong, and a restart would mend neither. */
export function tellEnds(ends: readonly CertificateEnd[], nowMs: number, logger: Logger): void {
  for (const end of ends) {
    const life = lifeOf(end, nowMs);
    const [level, event] = EVENTS[life];
    const { certificate, subject } = end;
    const code = life === 'expired' ? { code: 'CERTIFICATE_EXPIRED' } : {};
    logger.log(level, event, { certificate, subject, endsAt: new Date(end.endsMs).toISOString(), ...code });
  }
}

export const configurationPhase: Phase<AcraStart, Configured> = {
  name: 'configuration',
  deadlineMs: () => 10_000,
  run({ folder, acraProgram }, { logger, clock }) {
    const config = loadConfig(enclaveSchema, join(folder, 'enclave.yaml'));
    const pathOf = (file: string) => join(folder, file);
    const encryptorFile = pathOf(config.acra.encryptorConfig);
    const encryptorConfig = parseEncryptorConfig(readMeasured(encryptorFile), encryptorFile, tokenUseOf(config));
    if (config.acra.censorConfig !== undefined) requireCensorConfig(pathOf(config.acra.censorConfig));
    if (acraProgram.kind === 'stand-in') requireStandInCan(encryptorConfig, encryptorFile);
    requireMigrations(config.guard.migrations, encryptorConfig.tables, pathOf('enclave.yaml'));
    const guardList = loadGuardList(config, folder);
    logger.log('info', 'configuration.read', { name: config.name, keyArn: config.kms?.keyArn ?? null });
    requireSealedKeyOf(folder, config);
    const certificateEnds = readCertificateEnds(folder, config, clock.nowMs());
    tellEnds(certificateEnds, clock.nowMs(), logger);
    return Promise.resolve({ config, pathOf, encryptorConfig, guardList, certificateEnds });
  },
};
