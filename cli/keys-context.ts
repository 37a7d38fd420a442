/** What the commands that make keys share: the measured folder, its configuration, and how to reach its KMS key. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { EnclaveConfig } from '../config/enclave.ts';
import { enclaveSchema } from '../config/enclave.ts';
import { ConfigError } from '../config/errors.ts';
import { requireKms } from '../config/kms.ts';
import { loadConfig } from '../config/load.ts';
import type { SecretToSeal } from '../keys/ceremony.ts';
import type { CeremonyInput } from '../keys/ceremony-input.ts';
import type { EncryptOptions } from '../kms/operator-encrypt.ts';

export interface KeysContext {
  readonly folder: string;
  readonly config: EnclaveConfig;
  readonly nowMs: number;
}

/** @throws ConfigError */
export function keysContext(enclaveFolder: string): KeysContext {
  const folder = resolve(enclaveFolder);
  return { folder, config: loadConfig(enclaveSchema, join(folder, 'enclave.yaml')), nowMs: Date.now() };
}

export function secretsToSeal(
  folder: string,
  { databaseSecrets }: Pick<CeremonyInput, 'databaseSecrets'>,
): SecretToSeal[] {
  return databaseSecrets.map(({ user, secret, file }) => ({ user, secret, sealedFile: join(folder, file) }));
}

/** @throws ConfigError CONFIG_FILE_READ */
export function kmsOf({ folder, config }: KeysContext, signal: AbortSignal): EncryptOptions {
  const kms = requireKms(config);
  return {
    signal,
    region: kms.region,
    keyArn: kms.keyArn,
    encryptionContext: kms.encryptionContext,
    ...(kms.endpoint === undefined ? {} : { endpoint: kms.endpoint }),
    ...(kms.ca === undefined ? {} : { caPem: readText(join(folder, kms.ca)) }),
  };
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new ConfigError('CONFIG_FILE_READ', `cannot read ${file}`, { cause });
  }
}
