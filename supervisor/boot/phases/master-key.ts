/**
 * The master key is there, on a lease that begins here (supervisor/lease/): out of the key set that was brought, or by the attestation-bound
 * KMS Decrypt of the image's. Of the latter key ARN and encryption context are measured, and the answer must be exactly 32 bytes
 * (acra-server takes anything longer, acra-server contract 1.1). The plaintext lives in one SecretBuffer.
 */
import { KeystoreError } from '../../../acra/errors.ts';
import { requireKms } from '../../../config/kms.ts';
import { parseMasterKeyFile } from '../../../keys/master-key-file.ts';
import type { AttestedKms } from '../../../kms/client.ts';
import type { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import { openSet, type TakenKeys } from '../../keys/take-set.ts';
import { KeyLease, type LeasedKey } from '../../lease/lease.ts';
import type { KmsNeeds } from '../attested-kms.ts';
import { askKms, askKmsOnce } from '../attested-kms.ts';
import type { Phase, PhaseContext } from '../phase.ts';
import { readMeasured } from './configuration.ts';
import type { BroughtKeys, KeySetReady } from './key-set.ts';

const MASTER_KEY_BYTES = 32;

export interface MasterKeyReady {
  readonly masterKey: SecretBuffer;
  readonly lease: KeyLease;
}

type Needs = KmsNeeds & KeySetReady;

export const masterKeyPhase: Phase<Needs, MasterKeyReady> = {
  name: 'master-key',
  deadlineMs: ({ config }) => config.deadlines.masterKeyMs,
  async run(have, context) {
    const { brought, config } = have;
    const leased = brought === undefined ? await decryptKeyOfImage(have, context) : leasedKeyOf(brought.first, brought);
    const { clock, random, logger, defer, fail } = context;
    const onEnd = (error: unknown) => {
      brought?.desk.leaseLost(error);
      fail(error);
    };
    const lease = new KeyLease({ ...config.lease, leased, clock, random, logger, onEnd });
    defer(() => lease.stop());
    await lease.start(context.signal);
    return { masterKey: leased.masterKey, lease };
  },
};

/** What of a set is asked for again and again: its data key, and with that its master key. */
export function leasedKeyOf(
  { set, keys, askedMs: grantedMs }: TakenKeys,
  { keyKeeper }: Pick<BroughtKeys, 'keyKeeper'>,
): LeasedKey {
  const { masterKey } = keys;
  if (set.keeper.kind === 'operators') return { masterKey, ask: undefined, grantedMs };
  return { masterKey, ask: (signal) => openSet(set, keyKeeper.open, signal), grantedMs };
}

async function decryptKeyOfImage(have: KmsNeeds, context: PhaseContext): Promise<LeasedKey> {
  const { config, pathOf } = have;
  const { keyArn, encryptionContext, ciphertext: ciphertextFile } = requireKms(config);
  const file = readMeasured(pathOf(ciphertextFile)).toString('utf8');
  const ciphertext = parseMasterKeyFile(file, { keyArn, encryptionContext });
  let grantedMs = 0;
  const ask = (kms: AttestedKms, signal: AbortSignal) => {
    grantedMs = context.clock.monotonicMs();
    return kms.decrypt({ ciphertext, keyArn, encryptionContext, signal });
  };
  const what = 'waiting for KMS to decrypt the master key';
  const masterKey = await askKms({ what, ask, patient: true }, have, context);
  takeMasterKey(masterKey, context);
  return { masterKey, ask: (signal) => askKmsOnce(ask, have, context.platform, signal), grantedMs };
}

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
