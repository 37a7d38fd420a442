/**
 * The keys are known that the enclave serves with: those of the key set that was brought and opened, or those of the image, whose keystore
 * exists, is whole and opens with this master key before acra-server starts (supervisor/keys/open-keys.ts). The server's TLS key and the
 * secrets of database users are opened with the same master key, so that the image carries none of them in clear.
 */

import { KeystoreError } from '../../../acra/errors.ts';
import { TLS_KEY_CONTEXT } from '../../../acra/keystore/seal-file.ts';
import type { DatabaseUser } from '../../../config/database-login.ts';
import { sealedTlsKeyOf } from '../../../config/tls.ts';
import { secretFilesOf } from '../../../config/user-secrets.ts';
import { clientsOfUsers } from '../../../keys/database-clients.ts';
import { Deadline } from '../../../runtime/deadline.ts';
import { errorCode } from '../../../runtime/errors.ts';
import type { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import type { Exchange } from '../../keys/key-desk.ts';
import { type EnclaveKeys, KeysInUse } from '../../keys/keys-in-use.ts';
import { openKeys, type SealedSecret } from '../../keys/open-keys.ts';
import type { KeyLease } from '../../lease/lease.ts';
import type { Phase, PhaseContext } from '../phase.ts';
import type { Configured } from './configuration.ts';
import type { BroughtKeys, KeySetReady } from './key-set.ts';
import { leasedKeyOf, type MasterKeyReady } from './master-key.ts';
import type { TlsKeyKnown } from './tls-key.ts';

export interface KeystoreReady {
  /** PEM of the private key of the certificate that clients see: opened here, or made by the enclave. */
  readonly serverKey: SecretBuffer;
  /** What the enclave serves with, now and later. */
  readonly keys: KeysInUse;
}

/** Beyond what every step of an exchange has for itself: one that hangs must not keep later ones from being taken. */
const EXCHANGE_MS = 120_000;

type Needs = Configured & MasterKeyReady & Pick<TlsKeyKnown, 'attestedKey'> & KeySetReady;

export const keystorePhase: Phase<Needs, KeystoreReady> = {
  name: 'keystore',
  deadlineMs: ({ config }) => config.deadlines.keystoreMs,
  async run(have, context) {
    const { brought, attestedKey } = have;
    const { serverKey, ...first } =
      brought === undefined ? await openKeysOfImage(have, context) : { ...brought.first.keys, serverKey: attestedKey };
    if (!serverKey) throw new KeystoreError('KEYSTORE_SEALED_FILE', 'the sealed TLS key did not come back opened');
    const keys = new KeysInUse(first);
    brought?.desk.followedBy(exchangeOf(brought, have.lease, keys, context));
    return { serverKey, keys };
  },
};

function exchangeOf(brought: BroughtKeys, lease: KeyLease, keys: KeysInUse, { clock, fail }: PhaseContext): Exchange {
  return async (next, stopping) => {
    using deadline = new Deadline(clock, EXCHANGE_MS, stopping);
    try {
      await keys.change(next.keys, deadline.signal);
    } catch (error) {
      // With two master keys in use nobody knows any more which one a value is under.
      if (errorCode(error) === 'KEYS_EXCHANGED_IN_PART') fail(error);
      throw error;
    }
    lease.follow(leasedKeyOf(next, brought));
  };
}

function sealedSecrets(users: readonly DatabaseUser[], pathOf: Configured['pathOf']): SealedSecret[] {
  return users.flatMap((user) =>
    secretFilesOf(user).map(({ file }) => ({ user: user.name, file: pathOf(file), called: file })),
  );
}

async function openKeysOfImage(
  { config, pathOf, masterKey, attestedKey }: Needs,
  { signal, logger, defer }: PhaseContext,
): Promise<EnclaveKeys & { readonly serverKey: SecretBuffer | undefined }> {
  const keystoreFolder = pathOf(config.acra.keystore);
  const tlsKeys = [sealedTlsKeyOf(config) ?? []].flat();
  const opened = await openKeys({
    config,
    pathOf,
    keystoreFolder,
    masterKey,
    clientNames: clientsOfUsers(config),
    secrets: sealedSecrets(config.database.users, pathOf),
    others: tlsKeys.map(({ sealedKey }) => ({ file: pathOf(sealedKey), context: TLS_KEY_CONTEXT })),
    logger,
    signal,
  });
  defer(() => opened.dispose());
  const [serverKey = attestedKey] = opened.others;
  const { databaseSecrets, keyClients } = opened;
  return { masterKey, mockKey: masterKey, keystoreFolder, databaseSecrets, keyClients, serverKey };
}
