/**
 * Inspects a keystore from a daemon without loading Themis into it: a short-lived child does the work and takes the
 * copies of the master key that the library makes with it when it ends (themis-process.ts; check-main.ts).
 */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SecretBuffer } from '../../runtime/secret-buffer.ts';
import type { EncryptorFinding } from '../encryptor-config/schema.ts';
import { KeystoreError } from '../errors.ts';
import type { CheckRequest } from './check-protocol.ts';
import { checkAnswerSchema, requireChecked } from './check-protocol.ts';
import { requireMasterKeyLength } from './master-key.ts';
import { MAX_SEALED_BYTES } from './process-protocol.ts';
import type { KeystoreReport } from './report.ts';
import { runThemisProcess } from './themis-process.ts';

const MAIN_FILE = fileURLToPath(new URL('./check-main.ts', import.meta.url));

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
  readonly sealedFiles: readonly { readonly file: string; readonly context: string }[];
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

interface InspectedKeystore {
  readonly report: KeystoreReport;
  /** Weak spots of the encryptor configuration. */
  readonly warnings: readonly EncryptorFinding[];
  /** Contents of the sealed files, in their order. The caller owns and disposes them. */
  readonly opened: readonly SecretBuffer[];
}

/** Cuts the opened secrets apart and zeroes what they were in. */
function splitOpened(bytes: Buffer, lengths: readonly number[]): SecretBuffer[] {
  const total = lengths.reduce((sum, length) => sum + length, 0);
  if (total !== bytes.length) {
    throw new KeystoreError('KEYSTORE_CHECK_FAILED', 'the checking process opened other files than it says');
  }
  return lengths.map((length, index) => {
    const start = lengths.slice(0, index).reduce((sum, before) => sum + before, 0);
    return SecretBuffer.take(bytes.subarray(start, start + length));
  });
}

function requestOf(options: InspectKeystoreOptions): CheckRequest {
  return {
    keystoreFolder: resolve(options.keystoreFolder),
    clientIds: options.clientIds,
    clientNames: Object.fromEntries(options.clientNames ?? []),
    encryptorConfigFile: resolve(options.encryptorConfigFile),
    poisonDetection: options.poisonDetection ?? false,
    sealedFiles: options.sealedFiles.map(({ file, context }) => ({ file: resolve(file), context })),
  };
}

/**
 * Resolves only for a keystore that is sound, opens with this key and has all keys that the encryptor configuration
 * needs, and after every sealed file has opened.
 * @throws KeystoreError with a code for each reason; EncryptorError when the configuration is wrong; the signal's reason
 */
export async function inspectKeystore(options: InspectKeystoreOptions): Promise<InspectedKeystore> {
  const { masterKey, sealedFiles, signal, timeoutMs } = options;
  requireMasterKeyLength(masterKey.length);
  const { answer, opened } = await runThemisProcess({
    mainFile: MAIN_FILE,
    request: requestOf(options),
    secrets: [masterKey],
    maxOpenedBytes: MAX_SEALED_BYTES * sealedFiles.length,
    parse: (json) => checkAnswerSchema.parse(json),
    signal,
    timeoutMs,
  });
  try {
    const { report, warnings, openedBytes } = requireChecked(answer);
    return { report, warnings, opened: splitOpened(opened, openedBytes) };
  } finally {
    opened.fill(0);
  }
}
