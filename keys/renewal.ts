/**
 * Adds to the keys of an enclave without making others: clients, another TLS key, secrets of database users. All need the master key, which KMS
 * gives only to whom the key policy allows: the measured enclave, and an operator for as long as somebody lets them.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkKeystore } from '../acra/keystore/check.ts';
import { createKeystore } from '../acra/keystore/create.ts';
import { clientKeyFiles } from '../acra/keystore/layout.ts';
import { requireSoundKeystore } from '../acra/keystore/report.ts';
import { sealFile, TLS_KEY_CONTEXT } from '../acra/keystore/seal-file.ts';
import type { EnclaveConfig } from '../config/enclave.ts';
import { requireKms } from '../config/kms.ts';
import { sealedTlsKeyOf } from '../config/tls.ts';
import { untilAborted } from '../runtime/abort.ts';
import type { Random } from '../runtime/random.ts';
import { SecretBuffer } from '../runtime/secret-buffer.ts';
import type { SecretToSeal } from './ceremony.ts';
import { sealUserSecrets } from './ceremony.ts';
import { KeyError } from './errors.ts';
import { encodeMasterKeyFile, parseMasterKeyFile } from './master-key-file.ts';
import { isThere, StagedOutputs } from './staged-outputs.ts';

export interface RenewalOptions {
  /** The measured folder. */
  readonly folder: string;
  readonly config: EnclaveConfig;
  /** KMS Decrypt under the key and context of the configuration. */
  readonly decrypt: (ciphertext: Buffer) => Promise<Buffer>;
  readonly signal: AbortSignal;
}

interface AddClientsOptions extends RenewalOptions {
  readonly clientIds: readonly string[];
  readonly random: Random;
}

interface SealSecretsOptions extends RenewalOptions {
  /** All checked before (ceremony-input.ts). Undefined: the TLS key stays as it is. */
  readonly serverKey: SecretBuffer | undefined;
  /** SHA-256 of its public half, in hex. */
  readonly serverKeySha256: string;
  /** Those that are not named stay as they are. */
  readonly databaseSecrets: readonly SecretToSeal[];
}

function readCiphertext({ folder, config }: RenewalOptions): Buffer {
  const kms = requireKms(config);
  const file = join(folder, kms.ciphertext);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new KeyError('MASTER_KEY_FILE_INVALID', `${file} cannot be read`, { cause });
  }
  return parseMasterKeyFile(text, kms);
}

/** The master key, after the keystore has opened with it: what is added must not be under another. */
export async function openMasterKey(options: RenewalOptions): Promise<SecretBuffer> {
  const plaintext = await untilAborted(options.decrypt(readCiphertext(options)), options.signal);
  const masterKey = SecretBuffer.take(plaintext);
  try {
    const report = await checkKeystore({ folder: join(options.folder, options.config.acra.keystore), masterKey });
    // Modes are those of the image, by rule; a checkout has others.
    const findings = report.findings.filter(({ code }) => code !== 'KEYSTORE_PERMISSION');
    requireSoundKeystore({ ...report, findings });
    return masterKey;
  } catch (error) {
    masterKey.dispose();
    throw error;
  }
}

/**
 * All keys of all clients are added, or none.
 * @throws KeyError KEY_CLIENT_EXISTS, KEY_OUTPUT_WRITE, those of the master key's file; KeystoreError when the keystore does
 * not open; what `decrypt` throws; the signal's reason
 */
export async function addClients(options: AddClientsOptions): Promise<void> {
  const { folder, config, clientIds, random, signal } = options;
  const keystore = join(folder, config.acra.keystore);
  refuseKnown(keystore, clientIds);
  using masterKey = await openMasterKey(options);
  using outputs = new StagedOutputs();
  const fresh = outputs.stage(keystore, 'folder-content');
  await createKeystore({ folder: fresh, masterKey, clientIds, random, poison: false });
  signal.throwIfAborted();
  outputs.commit();
}

function refuseKnown(keystore: string, clientIds: readonly string[]): void {
  const known = clientIds.filter((id) => clientKeyFiles(id).some(({ path }) => isThere(join(keystore, path))));
  if (known.length === 0) return;
  throw new KeyError('KEY_CLIENT_EXISTS', 'there are keys of this client already', { found: known.join(', ') });
}

async function stageServerKey(
  options: SealSecretsOptions,
  serverKey: SecretBuffer,
  masterKey: SecretBuffer,
  outputs: StagedOutputs,
): Promise<void> {
  const { folder, config, serverKeySha256 } = options;
  const file = sealedTlsKeyOf(config)?.sealedKey;
  if (file === undefined) throw new KeyError('KEY_NOT_SEALED', 'the enclave makes its TLS key itself');
  const { keyArn, encryptionContext, ciphertext: ciphertextFile } = requireKms(config);
  const sealedKey = sealFile({ plaintext: serverKey, masterKey, context: TLS_KEY_CONTEXT });
  outputs.write(join(folder, file), sealedKey, 'replacing');
  const ciphertext = readCiphertext(options);
  const masterKeyFile = encodeMasterKeyFile({ keyArn, encryptionContext, ciphertext, serverKeySha256 });
  outputs.write(join(folder, ciphertextFile), masterKeyFile, 'replacing');
}

/**
 * Replaces the sealed TLS key and notes whose it is, and replaces or adds secrets of database users: all or nothing.
 * @throws KeyError KEY_OUTPUT_WRITE, those of the master key's file; KeystoreError when the keystore does not open; what
 * `decrypt` throws; the signal's reason
 */
export async function sealSecrets(options: SealSecretsOptions): Promise<void> {
  using masterKey = await openMasterKey(options);
  using outputs = new StagedOutputs();
  if (options.serverKey !== undefined) await stageServerKey(options, options.serverKey, masterKey, outputs);
  await sealUserSecrets(options.databaseSecrets, masterKey, outputs, 'replacing');
  options.signal.throwIfAborted();
  outputs.commit();
}
