/**
 * The attestation-bound KMS Decrypt of the master key. Key ARN and encryption context are measured; the answer must be
 * exactly 32 bytes (acra-server takes anything longer, acra-server contract 1.1). The plaintext lives in one SecretBuffer.
 */
import { readFileSync } from 'node:fs';
import { KeystoreError } from '../../../acra/errors.ts';
import { parseMasterKeyFile } from '../../../keys/master-key-file.ts';
import { AttestedKms } from '../../../kms/client.ts';
import { regionalEndpoint } from '../../../kms/endpoint.ts';
import { KmsError } from '../../../kms/errors.ts';
import type { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import { privateSocket } from '../../routes.ts';
import { retryPatiently } from '../patience.ts';
import type { Phase, PhaseContext } from '../phase.ts';
import type { Configured } from './configuration.ts';
import { readMeasured } from './configuration.ts';
import type { CredentialsReady } from './credentials.ts';
import type { NsmReady } from './nsm.ts';

const MASTER_KEY_BYTES = 32;

export interface MasterKeyReady {
  readonly masterKey: SecretBuffer;
}

type Needs = Configured & CredentialsReady & NsmReady;

function connectKms({ config, keeper, nsm, pathOf }: Needs, { platform }: PhaseContext): AttestedKms {
  const { kms } = config;
  const connection = {
    region: kms.region,
    endpoint: kms.endpoint === undefined ? regionalEndpoint(kms.region) : new URL(kms.endpoint),
    dial: privateSocket(platform, 'kms'),
    credentials: keeper.credentials,
    requestTimeoutMs: kms.requestTimeoutMs,
    ...(kms.ca === undefined ? {} : { caPem: readFileSync(pathOf(kms.ca), 'utf8') }),
  };
  return new AttestedKms(connection, nsm);
}

function isTemporary(error: unknown): boolean {
  return error instanceof KmsError && error.retryable;
}

export const masterKeyPhase: Phase<Needs, MasterKeyReady> = {
  name: 'master-key',
  deadlineMs: ({ config }) => config.deadlines.masterKeyMs,
  async run(have, context) {
    const { config, keeper, pathOf } = have;
    const { keyArn, encryptionContext } = config.kms;
    const file = readMeasured(pathOf(config.kms.ciphertext)).toString('utf8');
    const ciphertext = parseMasterKeyFile(file, { keyArn, encryptionContext });
    const kms = connectKms(have, context);
    try {
      const masterKey = await retryPatiently(
        {
          what: 'waiting for KMS to decrypt the master key',
          attempt: (signal) => kms.decrypt({ ciphertext, keyArn, encryptionContext, signal }),
          isTemporary,
          beforeRetry: (error) => {
            if (error instanceof KmsError && error.code === 'KMS_CREDENTIALS_EXPIRED') keeper.discard();
          },
        },
        context,
      );
      return takeMasterKey(masterKey, context);
    } finally {
      kms.close();
    }
  },
};

function takeMasterKey(masterKey: SecretBuffer, { defer, logger, signal }: PhaseContext): MasterKeyReady {
  defer(() => masterKey.dispose());
  signal.throwIfAborted();
  if (masterKey.length !== MASTER_KEY_BYTES) {
    throw new KeystoreError('KEYSTORE_MASTER_KEY_LENGTH', 'the decrypted master key has the wrong length', {
      found: `${masterKey.length} bytes`,
      allowed: `exactly ${MASTER_KEY_BYTES} bytes`,
    });
  }
  logger.log('info', 'master-key.decrypted', {});
  return { masterKey };
}
