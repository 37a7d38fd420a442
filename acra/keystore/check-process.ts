/**
 * Inspects a keystore from a daemon without loading Themis into it: a short-lived child does the work and takes the
 * copies of the master key that the library makes with it when it ends (acra-server contract 9.2; check-main.ts).
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { nodeChildEnvironment } from '../../system/processes/node-child.ts';
import { markOwnChild } from '../../system/processes/own-children.ts';
import type { EncryptorFinding } from '../encryptor-config/schema.ts';
import { KeystoreError } from '../errors.ts';
import type { CheckAnswer, CheckRequest } from './check-protocol.ts';
import {
  checkAnswerSchema,
  MASTER_KEY_DESCRIPTOR,
  MAX_SEALED_BYTES,
  OPENED_DESCRIPTOR,
  requireChecked,
} from './check-protocol.ts';
import { requireMasterKeyLength } from './master-key.ts';
import type { KeystoreReport } from './report.ts';

const MAIN_FILE = fileURLToPath(new URL('./check-main.ts', import.meta.url));
const MAX_ANSWER_BYTES = 1024 * 1024;
const MAX_COMPLAINT_BYTES = 500;

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

/** Pipes of the child by descriptor; `stdio` has asked for all of them. */
function pipeOf<Pipe extends Readable | Writable>(child: ChildProcess, descriptor: number): Pipe {
  return child.stdio[descriptor] as Pipe;
}

/** The stream may still hold the bytes when write() returns, so it gets a copy that is zeroed once they are out. */
function sendSecret(pipe: Writable, secret: SecretBuffer): void {
  const copy = secret.use((bytes) => Buffer.from(bytes));
  pipe.on('error', () => undefined);
  pipe.end(copy, () => copy.fill(0));
  pipe.on('close', () => copy.fill(0));
}

function sendRequest(pipe: Writable, request: CheckRequest): void {
  pipe.on('error', () => undefined);
  pipe.end(JSON.stringify(request));
}

/**
 * Collects up to `maxBytes`; more is cut off, and a broken pipe ends the collection: the reader of the result notices
 * both. Zeroes the chunks it copies.
 */
async function collect(pipe: Readable, maxBytes: number): Promise<Buffer> {
  const all = Buffer.alloc(maxBytes);
  let length = 0;
  try {
    for await (const chunk of pipe) {
      length += (chunk as Buffer).copy(all, length);
      (chunk as Buffer).fill(0);
    }
  } catch {
    // the child's end says why
  }
  return all.subarray(0, length);
}

function failed(message: string, cause?: unknown): KeystoreError {
  return new KeystoreError('KEYSTORE_CHECK_FAILED', message, cause === undefined ? {} : { cause });
}

function parseAnswer(stdout: Buffer, stderr: Buffer, ended: string): CheckAnswer {
  try {
    return checkAnswerSchema.parse(JSON.parse(stdout.toString('utf8')));
  } catch (cause) {
    throw failed(`the checking process ${ended} without an answer: ${stderr.toString('utf8')}`, cause);
  }
}

/** Cuts the opened secrets apart and zeroes what they were in. */
function splitOpened(bytes: Buffer, lengths: readonly number[]): SecretBuffer[] {
  const total = lengths.reduce((sum, length) => sum + length, 0);
  if (total !== bytes.length) throw failed('the checking process opened other files than it says');
  return lengths.map((length, index) => {
    const start = lengths.slice(0, index).reduce((sum, before) => sum + before, 0);
    return SecretBuffer.take(bytes.subarray(start, start + length));
  });
}

interface Ended {
  readonly description: string;
  readonly error: unknown;
}

function whenEnded(child: ChildProcess): Promise<Ended> {
  return new Promise((settle) => {
    let error: unknown;
    child.on('error', (cause) => {
      error = cause;
      if (child.pid === undefined) settle({ description: 'did not start', error });
    });
    child.on('close', (code, signal) => settle({ description: `ended with ${signal ?? code}`, error }));
  });
}

function start(signal: AbortSignal, timeoutMs: number): ChildProcess {
  const child = spawn(process.execPath, [MAIN_FILE], {
    stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
    env: nodeChildEnvironment(),
    cwd: '/',
    signal,
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  return markOwnChild(child);
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
  requireMasterKeyLength(options.masterKey.length);
  options.signal.throwIfAborted();
  const child = start(options.signal, options.timeoutMs);
  const ending = whenEnded(child);
  sendSecret(pipeOf(child, MASTER_KEY_DESCRIPTOR), options.masterKey);
  sendRequest(pipeOf(child, 0), requestOf(options));
  const [stdout, stderr, secrets, ended] = await Promise.all([
    collect(pipeOf(child, 1), MAX_ANSWER_BYTES),
    collect(pipeOf(child, 2), MAX_COMPLAINT_BYTES),
    collect(pipeOf(child, OPENED_DESCRIPTOR), MAX_SEALED_BYTES * options.sealedFiles.length),
    ending,
  ]);
  try {
    options.signal.throwIfAborted();
    if (child.killed) {
      throw new KeystoreError('KEYSTORE_CHECK_TIMEOUT', `the check took longer than ${options.timeoutMs} ms`);
    }
    if (ended.error !== undefined) throw failed('the checking process could not be started', ended.error);
    const checked = requireChecked(parseAnswer(stdout, stderr, ended.description));
    const opened = splitOpened(secrets, checked.openedBytes);
    return { report: checked.report, warnings: checked.warnings, opened };
  } finally {
    secrets.fill(0);
  }
}
