/**
 * Main file of the process that inspects a keystore and ends: it alone loads Themis, so that the copies which that
 * library makes of the master key go with it. Request on stdin, answer on stdout, secrets on descriptors 3 and 4
 * (check-protocol.ts). Started by check-process.ts only.
 */
import { closeSync, readFileSync, readSync, writeSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { loadEncryptorConfig } from '../encryptor-config/lint.ts';
import { KeystoreError } from '../errors.ts';
import { checkKeystore } from './check.ts';
import type { CheckAnswer, CheckRequest } from './check-protocol.ts';
import {
  answerOfError,
  checkRequestSchema,
  MASTER_KEY_DESCRIPTOR,
  MAX_SEALED_BYTES,
  OPENED_DESCRIPTOR,
} from './check-protocol.ts';
import { MASTER_KEY_BYTES } from './layout.ts';
import { useMasterKey } from './master-key.ts';
import { loadThemis } from './themis.ts';

function readMasterKey(): SecretBuffer {
  const bytes = Buffer.allocUnsafeSlow(MASTER_KEY_BYTES + 1);
  let length = 0;
  for (let read = -1; read !== 0 && length < bytes.length; length += read) {
    read = readSync(MASTER_KEY_DESCRIPTOR, bytes, length, bytes.length - length, null);
  }
  closeSync(MASTER_KEY_DESCRIPTOR);
  return SecretBuffer.take(bytes.subarray(0, length));
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

/** Opens the files in order; the caller owns the results. */
async function openSealedFiles(masterKey: SecretBuffer, sealed: CheckRequest['sealedFiles']): Promise<Buffer[]> {
  const themis = await loadThemis();
  const opened: Buffer[] = [];
  for (const { file, context } of sealed) {
    const content = await readSealed(file);
    const secret = useMasterKey(masterKey, (key) => themis.open(key, content, context));
    if (secret === undefined) throw sealedFileError(file, `does not open with this master key as ${context}`);
    opened.push(secret);
  }
  return opened;
}

function writeAll(descriptor: number, bytes: Buffer): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
}

async function inspect(request: CheckRequest, masterKey: SecretBuffer): Promise<CheckAnswer> {
  const encryptorConfig = loadEncryptorConfig(request.encryptorConfigFile);
  const { keystoreFolder: folder, clientIds, poisonDetection } = request;
  const clientNames = new Map(Object.entries(request.clientNames));
  const report = await checkKeystore({ folder, masterKey, clientIds, clientNames, encryptorConfig, poisonDetection });
  const opened = report.findings.length === 0 ? await openSealedFiles(masterKey, request.sealedFiles) : [];
  const openedBytes = opened.map(({ length }) => length);
  for (const secret of opened) {
    writeAll(OPENED_DESCRIPTOR, secret);
    secret.fill(0);
  }
  const plainReport = {
    ...report,
    clientIds: [...report.clientIds],
    poisonKeys: [...report.poisonKeys],
    findings: [...report.findings],
  };
  return { outcome: 'checked', report: plainReport, warnings: [...encryptorConfig.warnings], openedBytes };
}

async function main(): Promise<void> {
  let answer: CheckAnswer;
  using masterKey = readMasterKey();
  try {
    const request = checkRequestSchema.parse(JSON.parse(readFileSync(0, 'utf8')));
    answer = await inspect(request, masterKey);
  } catch (error) {
    answer = answerOfError(error);
  }
  writeAll(1, Buffer.from(JSON.stringify(answer)));
}

await main();
