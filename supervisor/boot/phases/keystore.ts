/**
 * The keystore exists, is whole and opens with this master key before acra-server starts: on an empty keystore
 * acra-server starts with any key (acra-server contract 1.3). The server's TLS key and the passwords of database users are
 * opened with the same master key, so that the image carries none of them in clear. All this happens in a short-lived
 * process (acra/keystore/check-process.ts).
 */

import { KeystoreError } from '../../../acra/errors.ts';
import { inspectKeystore } from '../../../acra/keystore/check-process.ts';
import { databaseUserContext, TLS_KEY_CONTEXT } from '../../../acra/keystore/seal-file.ts';
import type { DatabaseUser } from '../../../config/database-login.ts';
import { clientsOfUsers } from '../../../keys/database-clients.ts';
import { PASSWORD_FORM, passwordFault } from '../../../keys/password-file.ts';
import type { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import type { Phase } from '../phase.ts';
import type { Configured } from './configuration.ts';
import type { MasterKeyReady } from './master-key.ts';

export interface KeystoreReady {
  /** PEM of the private key that acra-server shows its clients. */
  readonly serverKey: SecretBuffer;
  /** Passwords by the names of the database's users; those of `database.users`, all of them. */
  readonly databaseSecrets: ReadonlyMap<string, SecretBuffer>;
  /** Ids of the clients that have keys. */
  readonly keyClients: readonly string[];
}

/** Whoever sealed it had the master key, and perhaps not our ceremony. @throws KeystoreError KEYSTORE_SEALED_FILE */
function passwordsOf(users: readonly DatabaseUser[], opened: readonly SecretBuffer[]): Map<string, SecretBuffer> {
  const passwords = new Map<string, SecretBuffer>();
  for (const [index, { name, secret }] of users.entries()) {
    const password = opened[index];
    const found = password === undefined ? 'it did not come back opened' : password.use(passwordFault);
    if (password === undefined || found !== undefined) {
      const message = `${secret} does not hold the password of database user ${name}`;
      throw new KeystoreError('KEYSTORE_SEALED_FILE', message, { found: found ?? '', allowed: PASSWORD_FORM });
    }
    passwords.set(name, password);
  }
  return passwords;
}

export const keystorePhase: Phase<Configured & MasterKeyReady, KeystoreReady> = {
  name: 'keystore',
  deadlineMs: ({ config }) => config.deadlines.keystoreMs,
  async run({ config, pathOf, masterKey }, { signal, logger, defer }) {
    const { users } = config.database;
    const clientNames = clientsOfUsers(config);
    const { report, warnings, opened } = await inspectKeystore({
      keystoreFolder: pathOf(config.acra.keystore),
      masterKey,
      clientIds: [...clientNames.keys()],
      clientNames,
      poisonDetection: config.acra.poisonDetection,
      encryptorConfigFile: pathOf(config.acra.encryptorConfig),
      sealedFiles: [
        { file: pathOf(config.acra.sealedKey), context: TLS_KEY_CONTEXT },
        ...users.map(({ name, secret }) => ({ file: pathOf(secret), context: databaseUserContext(name) })),
      ],
      signal,
      timeoutMs: config.deadlines.keystoreMs,
    });
    for (const secret of opened) defer(() => secret.dispose());
    const [serverKey, ...passwords] = opened;
    if (!serverKey) throw new KeystoreError('KEYSTORE_SEALED_FILE', 'the sealed TLS key did not come back opened');
    const databaseSecrets = passwordsOf(users, passwords);
    logger.log('info', 'keystore.checked', { clients: report.clientIds.length, openedKeys: report.openedKeys });
    for (const { line, path, message } of warnings) logger.log('warn', 'encryptor.weak', { line, path, message });
    return { serverKey, databaseSecrets, keyClients: report.clientIds };
  },
};
