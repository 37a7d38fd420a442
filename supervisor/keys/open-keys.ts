/**
 * Whether keys are fit to serve with, wherever they come from: the keystore is whole, opens with this master key and has what the
 * configuration needs, and the secrets of database users open and are what the login takes. On an empty keystore acra-server starts with
 * any key (acra-server contract 1.3).
 */
import { KeystoreError } from '../../acra/errors.ts';
import type { ClientKeyIds } from '../../acra/keystore/client-key-ids.ts';
import { inspectKeystore } from '../../acra/keystore/inspect.ts';
import { databaseUserContext } from '../../acra/keystore/seal-file.ts';
import type { EnclaveConfig } from '../../config/enclave.ts';
import type { DatabaseLogin } from '../../config/user-secrets.ts';
import { loginOf } from '../../config/user-secrets.ts';
import { secretFormOf } from '../../keys/secret-form.ts';
import type { Logger } from '../../runtime/log.ts';
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import type { EnclaveKeys } from './keys-in-use.ts';

export interface SealedSecret {
  readonly user: string;
  /** Absolute. */
  readonly file: string;
  /** What people know it by. */
  readonly called: string;
}

export interface OpenKeysOptions {
  readonly config: EnclaveConfig;
  readonly pathOf: (file: string) => string;
  readonly keystoreFolder: string;
  readonly masterKey: SecretBuffer;
  /** Who must have keys, by client ids, each with what people call it. */
  readonly clientNames: ReadonlyMap<string, string>;
  /** Of each user in the order in which they are tried. */
  readonly secrets: readonly SealedSecret[];
  /** Further files under the master key. */
  readonly others: readonly { readonly file: string; readonly context: string }[];
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

export interface OpenedKeys extends Pick<EnclaveKeys, 'databaseSecrets' | 'keyClients'> {
  /** Of all clients in the keystore, by client id. */
  readonly keyIds: readonly ClientKeyIds[];
  /** In the order of the options. */
  readonly others: readonly SecretBuffer[];
  dispose(): void;
}

/** Whoever sealed them had the master key, and perhaps not our ceremony. @throws KeystoreError KEYSTORE_SEALED_FILE */
function checkForms(sealed: readonly SealedSecret[], opened: readonly SecretBuffer[], login: DatabaseLogin): void {
  const { what, fault, allowed } = secretFormOf(login);
  for (const [index, { user, called }] of sealed.entries()) {
    const secret = opened[index];
    const found = secret === undefined ? 'it did not come back opened' : secret.use(fault);
    if (found === undefined) continue;
    const message = `${called} does not hold the ${what} of database user ${user}`;
    throw new KeystoreError('KEYSTORE_SEALED_FILE', message, { found, allowed });
  }
}

function byUser(sealed: readonly SealedSecret[], opened: readonly SecretBuffer[]): Map<string, SecretBuffer[]> {
  const pairs = sealed.flatMap(({ user }, index) => opened.slice(index, index + 1).map((secret) => ({ user, secret })));
  const grouped = Map.groupBy(pairs, ({ user }) => user);
  return new Map([...grouped].map(([user, same]) => [user, same.map(({ secret }) => secret)]));
}

/** @throws KeystoreError; EncryptorError; the signal's reason. Nothing stays open then */
export async function openKeys(options: OpenKeysOptions): Promise<OpenedKeys> {
  const { config, pathOf, keystoreFolder, masterKey, clientNames, secrets, logger, signal } = options;
  const { report, warnings, opened } = await inspectKeystore({
    keystoreFolder,
    masterKey,
    clientIds: [...clientNames.keys()],
    clientNames,
    poisonDetection: config.acra.poisonDetection,
    encryptorConfigFile: pathOf(config.acra.encryptorConfig),
    sealedFiles: [
      ...options.others,
      ...secrets.map(({ user, file }) => ({ file, context: databaseUserContext(user) })),
    ],
    signal,
  });
  const dispose = () => {
    for (const secret of opened) secret.dispose();
  };
  const ofUsers = opened.slice(options.others.length);
  try {
    checkForms(secrets, ofUsers, loginOf(config.database));
  } catch (error) {
    dispose();
    throw error;
  }
  logger.log('info', 'keystore.checked', { clients: report.clientIds.length, openedKeys: report.openedKeys });
  for (const { line, path, message } of warnings) logger.log('warn', 'encryptor.weak', { line, path, message });
  const others = opened.slice(0, options.others.length);
  const { clientIds: keyClients, keyIds } = report;
  return { others, databaseSecrets: byUser(secrets, ofUsers), keyClients, keyIds, dispose };
}
