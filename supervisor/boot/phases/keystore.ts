/**
 * The keystore exists, is whole and opens with this master key before acra-server starts: on an empty keystore
 * acra-server starts with any key (acra-server contract 1.3). The server's TLS key is opened with the same master key,
 * so that the image does not carry it in clear. Both happen in a short-lived process (acra/keystore/check-process.ts).
 */

import { KeystoreError } from '../../../acra/errors.ts';
import { inspectKeystore } from '../../../acra/keystore/check-process.ts';
import { TLS_KEY_CONTEXT } from '../../../acra/keystore/seal-file.ts';
import type { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import type { Phase } from '../phase.ts';
import type { Configured } from './configuration.ts';
import type { MasterKeyReady } from './master-key.ts';

export interface KeystoreReady {
  /** PEM of the private key that acra-server shows its clients. */
  readonly serverKey: SecretBuffer;
}

export const keystorePhase: Phase<Configured & MasterKeyReady, KeystoreReady> = {
  name: 'keystore',
  deadlineMs: ({ config }) => config.deadlines.keystoreMs,
  async run({ config, pathOf, masterKey }, { signal, logger, defer }) {
    const { report, warnings, opened } = await inspectKeystore({
      keystoreFolder: pathOf(config.acra.keystore),
      masterKey,
      clientIds: [],
      poisonDetection: config.acra.poisonDetection,
      encryptorConfigFile: pathOf(config.acra.encryptorConfig),
      sealedFiles: [{ file: pathOf(config.acra.sealedKey), context: TLS_KEY_CONTEXT }],
      signal,
      timeoutMs: config.deadlines.keystoreMs,
    });
    const [serverKey] = opened;
    if (!serverKey) throw new KeystoreError('KEYSTORE_SEALED_FILE', 'the sealed TLS key did not come back opened');
    defer(() => serverKey.dispose());
    logger.log('info', 'keystore.checked', { clients: report.clientIds.length, openedKeys: report.openedKeys });
    for (const { line, path, message } of warnings) logger.log('warn', 'encryptor.weak', { line, path, message });
    return { serverKey };
  },
};
