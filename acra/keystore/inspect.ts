/**
 * Whether a keystore is fit to serve with, for a daemon: it is sound, opens with this master key and has what the configuration needs, and
 * files that are sealed beside it open too. What is opened is zeroed here or belongs to the caller.
 */
import { readFile, stat } from 'node:fs/promises';
import { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { loadEncryptorConfig } from '../encryptor-config/lint.ts';
import type { EncryptorFinding } from '../encryptor-config/schema.ts';
import { KeystoreError } from '../errors.ts';
import { checkKeystore } from './check.ts';
import { MAX_SEALED_BYTES } from './layout.ts';
import { requireMasterKeyLength, useMasterKey } from './master-key.ts';
import { type KeystoreReport, requireSoundKeystore } from './report.ts';
import { themis } from './themis.ts';

interface SealedFile {
  readonly file: string;
  readonly context: string;
}

export interface InspectKeystoreOptions {
  readonly keystoreFolder: string;
  readonly masterKey: SecretBuffer;
  /** Clients that will connect; empty: at least one must have what the configuration needs. */
  readonly clientIds: readonly string[];
  /** What people call them, by their ids; default: by the ids. */
  readonly clientNames?: ReadonlyMap<string, string>;
  readonly encryptorConfigFile: string;
  /** Demand the keys that detection of poison records needs; default false. */
  readonly poisonDetection?: boolean;
  /** Further files sealed under the master key, to be opened by the way. At most 64 KiB each. */
  readonly sealedFiles: readonly SealedFile[];
  readonly signal: AbortSignal;
}

interface InspectedKeystore {
  readonly report: KeystoreReport;
  /** Weak spots of the encryptor configuration. */
  readonly warnings: readonly EncryptorFinding[];
  /** Contents of the sealed files, in their order. The caller owns and disposes them. */
  readonly opened: readonly SecretBuffer[];
}

function sealedFileError(file: string, message: string, cause?: unknown): KeystoreError {
  const details = cause === undefined ? {} : { cause };
  return new KeystoreError('KEYSTORE_SEALED_FILE', `${file} ${message}`, details);
}

async function readSealed(file: string): Promise<Buffer> {
  try {
    if ((await stat(file)).size <= MAX_SEALED_BYTES) return await readFile(file);
  } catch (cause) {
    throw sealedFileError(file, `cannot be read: ${cause instanceof Error ? cause.message : ''}`, cause);
  }
  throw sealedFileError(file, `is longer than ${MAX_SEALED_BYTES} bytes`);
}

async function openSealed(masterKey: SecretBuffer, { file, context }: SealedFile): Promise<SecretBuffer> {
  const content = await readSealed(file);
  const secret = useMasterKey(masterKey, (key) => themis.open(key, content, context));
  if (secret === undefined) throw sealedFileError(file, `does not open with this master key as ${context}`);
  return SecretBuffer.take(secret);
}

/** All of them, in order, or none. */
async function openAllSealed({
  masterKey,
  sealedFiles,
  signal,
}: InspectKeystoreOptions): Promise<readonly SecretBuffer[]> {
  const opened: SecretBuffer[] = [];
  try {
    for (const each of sealedFiles) {
      opened.push(await openSealed(masterKey, each));
      signal.throwIfAborted();
    }
    return opened;
  } catch (error) {
    for (const secret of opened) secret.dispose();
    throw error;
  }
}

/**
 * Resolves only for a keystore that is sound, opens with this key and has all keys that the encryptor configuration
 * needs, and after every sealed file has opened.
 * @throws KeystoreError with a code for each reason; EncryptorError when the configuration is wrong; the signal's reason
 */
export async function inspectKeystore(options: InspectKeystoreOptions): Promise<InspectedKeystore> {
  const { keystoreFolder: folder, signal, ...demands } = options;
  signal.throwIfAborted();
  requireMasterKeyLength(demands.masterKey.length);
  const encryptorConfig = loadEncryptorConfig(options.encryptorConfigFile, 'kept');
  const report = await checkKeystore({ ...demands, folder, encryptorConfig });
  signal.throwIfAborted();
  requireSoundKeystore(report);
  return { report, warnings: encryptorConfig.warnings, opened: await openAllSealed(options) };
}
