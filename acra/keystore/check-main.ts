/**
 * Main file of the process that inspects a keystore and ends: it alone loads Themis, so that the copies which that
 * library makes of the master key go with it (process-protocol.ts, check-protocol.ts). Started by check-process.ts only.
 */
import { readFile, stat } from 'node:fs/promises';
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { loadEncryptorConfig } from '../encryptor-config/lint.ts';
import { KeystoreError } from '../errors.ts';
import { checkKeystore } from './check.ts';
import type { CheckAnswer, CheckRequest } from './check-protocol.ts';
import { checkRequestSchema } from './check-protocol.ts';
import { MASTER_KEY_BYTES } from './layout.ts';
import { useMasterKey } from './master-key.ts';
import { MAX_SEALED_BYTES } from './process-protocol.ts';
import { themis } from './themis.ts';
import { answerOnce, handOut, readSecrets } from './themis-child.ts';

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

/** Opens the files in order; the caller owns the results. */
async function openSealedFiles(masterKey: SecretBuffer, sealed: CheckRequest['sealedFiles']): Promise<Buffer[]> {
  const opened: Buffer[] = [];
  for (const { file, context } of sealed) {
    const content = await readSealed(file);
    const secret = useMasterKey(masterKey, (key) => themis.open(key, content, context));
    if (secret === undefined) throw sealedFileError(file, `does not open with this master key as ${context}`);
    opened.push(secret);
  }
  return opened;
}

async function inspect(request: CheckRequest, masterKey: SecretBuffer): Promise<CheckAnswer> {
  const encryptorConfig = loadEncryptorConfig(request.encryptorConfigFile, 'kept');
  const { keystoreFolder: folder, clientIds, poisonDetection } = request;
  const clientNames = new Map(Object.entries(request.clientNames));
  const report = await checkKeystore({ folder, masterKey, clientIds, clientNames, encryptorConfig, poisonDetection });
  const opened = report.findings.length === 0 ? await openSealedFiles(masterKey, request.sealedFiles) : [];
  const openedBytes = opened.map(({ length }) => length);
  handOut(opened);
  const plainReport = {
    ...report,
    clientIds: [...report.clientIds],
    keyIds: [...report.keyIds],
    poisonKeys: [...report.poisonKeys],
    findings: [...report.findings],
  };
  return { outcome: 'checked', report: plainReport, warnings: [...encryptorConfig.warnings], openedBytes };
}

// One byte more than a key has, so that a longer one is noticed.
using masterKey = readSecrets(MASTER_KEY_BYTES + 1);
await answerOnce((request) => inspect(checkRequestSchema.parse(request), masterKey));
