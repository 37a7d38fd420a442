/**
 * The keystore exists, is whole and opens with this master key before acra-server starts: on an empty keystore
 * acra-server starts with any key (acra-server contract 1.3). The server's TLS key and the secrets of database users are
 * opened with the same master key, so that the image carries none of them in clear. All this happens in a short-lived
 * process (acra/keystore/check-process.ts).
 */

import { KeystoreError } from '../../../acra/errors.ts';
import { inspectKeystore } from '../../../acra/keystore/check-process.ts';
import { databaseUserContext, TLS_KEY_CONTEXT } from '../../../acra/keystore/seal-file.ts';
import type { DatabaseUser } from '../../../config/database-login.ts';
import { sealedTlsKeyOf } from '../../../config/tls.ts';
import type { DatabaseLogin } from '../../../config/user-secrets.ts';
import { loginOf, secretFilesOf } from '../../../config/user-secrets.ts';
import { clientsOfUsers } from '../../../keys/database-clients.ts';
import { secretFormOf } from '../../../keys/secret-form.ts';
import type { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import { KeysInUse } from '../../keys/keys-in-use.ts';
import type { Phase } from '../phase.ts';
import type { Configured } from './configuration.ts';
import type { MasterKeyReady } from './master-key.ts';
import type { TlsKeyKnown } from './tls-key.ts';

export interface KeystoreReady {
  /** PEM of the private key of the certificate that clients see: opened here, or made by the enclave. */
  readonly serverKey: SecretBuffer;
  readonly keys: KeysInUse;
}

interface SealedSecret {
  readonly user: string;
  /** Relative to the measured folder. */
  readonly file: string;
}

function sealedSecrets(users: readonly DatabaseUser[]): SealedSecret[] {
  return users.flatMap((user) => secretFilesOf(user).map(({ file }) => ({ user: user.name, file })));
}

/** Whoever sealed them had the master key, and perhaps not our ceremony. @throws KeystoreError KEYSTORE_SEALED_FILE */
function checkForms(sealed: readonly SealedSecret[], opened: readonly SecretBuffer[], login: DatabaseLogin): void {
  const { what, fault, allowed } = secretFormOf(login);
  for (const [index, { user, file }] of sealed.entries()) {
    const secret = opened[index];
    const found = secret === undefined ? 'it did not come back opened' : secret.use(fault);
    if (found === undefined) continue;
    const message = `${file} does not hold the ${what} of database user ${user}`;
    throw new KeystoreError('KEYSTORE_SEALED_FILE', message, { found, allowed });
  }
}

function byUser(sealed: readonly SealedSecret[], opened: readonly SecretBuffer[]): Map<string, SecretBuffer[]> {
  const pairs = sealed.flatMap(({ user }, index) => opened.slice(index, index + 1).map((secret) => ({ user, secret })));
  const grouped = Map.groupBy(pairs, ({ user }) => user);
  return new Map([...grouped].map(([user, same]) => [user, same.map(({ secret }) => secret)]));
}

type Needs = Configured & Pick<MasterKeyReady, 'masterKey'> & Pick<TlsKeyKnown, 'attestedKey'>;

export const keystorePhase: Phase<Needs, KeystoreReady> = {
  name: 'keystore',
  deadlineMs: ({ config }) => config.deadlines.keystoreMs,
  async run({ config, pathOf, masterKey, attestedKey }, { signal, logger, defer }) {
    const sealed = sealedSecrets(config.database.users);
    const tlsKeys = [sealedTlsKeyOf(config) ?? []].flat();
    const clientNames = clientsOfUsers(config);
    const { report, warnings, opened } = await inspectKeystore({
      keystoreFolder: pathOf(config.acra.keystore),
      masterKey,
      clientIds: [...clientNames.keys()],
      clientNames,
      poisonDetection: config.acra.poisonDetection,
      encryptorConfigFile: pathOf(config.acra.encryptorConfig),
      sealedFiles: [
        ...tlsKeys.map(({ sealedKey }) => ({ file: pathOf(sealedKey), context: TLS_KEY_CONTEXT })),
        ...sealed.map(({ user, file }) => ({ file: pathOf(file), context: databaseUserContext(user) })),
      ],
      signal,
      timeoutMs: config.deadlines.keystoreMs,
    });
    for (const secret of opened) defer(() => secret.dispose());
    const secrets = opened.slice(tlsKeys.length);
    const [serverKey = attestedKey] = opened.slice(0, tlsKeys.length);
    if (!serverKey) throw new KeystoreError('KEYSTORE_SEALED_FILE', 'the sealed TLS key did not come back opened');
    checkForms(sealed, secrets, loginOf(config.database));
    logger.log('info', 'keystore.checked', { clients: report.clientIds.length, openedKeys: report.openedKeys });
    for (const { line, path, message } of warnings) logger.log('warn', 'encryptor.weak', { line, path, message });
    const databaseSecrets = byUser(sealed, secrets);
    const keystoreFolder = pathOf(config.acra.keystore);
    const keys = new KeysInUse({ masterKey, keystoreFolder, databaseSecrets, keyClients: report.clientIds });
    return { serverKey, keys };
  },
};
