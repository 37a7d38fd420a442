/**
 * The attestation-bound KMS Decrypt of the master key. Key ARN and encryption context are measured; the answer must be
 * exactly 32 bytes (acra-server takes anything longer, acra-server contract 1.1). The plaintext lives in one SecretBuffer, on a
 * lease that begins here (supervisor/lease/).
 */
import { KeystoreError } from '../../../acra/errors.ts';
import { parseMasterKeyFile } from '../../../keys/master-key-file.ts';
import type { AttestedKms } from '../../../kms/client.ts';
import type { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import { KeyLease } from '../../lease/lease.ts';
import type { KmsNeeds } from '../attested-kms.ts';
import { askKms, askKmsOnce } from '../attested-kms.ts';
import type { Phase, PhaseContext } from '../phase.ts';
import { readMeasured } from './configuration.ts';

const MASTER_KEY_BYTES = 32;

export interface MasterKeyReady {
  readonly masterKey: SecretBuffer;
  readonly lease: KeyLease;
}

export const masterKeyPhase: Phase<KmsNeeds, MasterKeyReady> = {
  name: 'master-key',
  deadlineMs: ({ config }) => config.deadlines.masterKeyMs,
  async run(have, context) {
    const { config, pathOf } = have;
    const { keyArn, encryptionContext } = config.kms;
    const file = readMeasured(pathOf(config.kms.ciphertext)).toString('utf8');
    const ciphertext = parseMasterKeyFile(file, { keyArn, encryptionContext });
    const ask = (kms: AttestedKms, signal: AbortSignal) =>
      kms.decrypt({ ciphertext, keyArn, encryptionContext, signal });
    const what = 'waiting for KMS to decrypt the master key';
    const masterKey = await askKms({ what, ask, patient: true }, have, context);
    takeMasterKey(masterKey, context);
    const { platform, clock, random, logger, defer, fail } = context;
    const lease = new KeyLease({
      ...config.lease,
      masterKey,
      ask: (signal) => askKmsOnce(ask, have, platform, signal),
      clock,
      random,
      logger,
      onEnd: fail,
    });
    defer(() => lease.stop());
    await lease.start(context.signal);
    return { masterKey, lease };
  },
};

function takeMasterKey(masterKey: SecretBuffer, { defer, logger, signal }: PhaseContext): void {
  defer(() => masterKey.dispose());
  signal.throwIfAborted();
  if (masterKey.length !== MASTER_KEY_BYTES) {
    throw new KeystoreError('KEYSTORE_MASTER_KEY_LENGTH', 'the decrypted master key has the wrong length', {
      found: `${masterKey.length} bytes`,
      allowed: `exactly ${MASTER_KEY_BYTES} bytes`,
    });
  }
  logger.log('info', 'master-key.decrypted', {});
}
