/** Runs a short-lived process that changes a keystore, from a daemon: keys that are made or opened on the way end with it (process-protocol.ts). */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { nodeChildEnvironment } from '../../system/processes/node-child.ts';
import { markOwnChild } from '../../system/processes/own-children.ts';
import { KeystoreError } from '../errors.ts';
import { SECRETS_DESCRIPTOR } from './process-protocol.ts';

const MAX_ANSWER_BYTES = 2 * 1024 * 1024;
const MAX_COMPLAINT_BYTES = 500;

export interface KeystoreTask<Answer> {
  readonly mainFile: string;
  /** JSON, without a secret. */
  readonly request: object;
  /** Go in one after the other; the caller still owns them. */
  readonly secrets: readonly SecretBuffer[];
  /** @throws for another form */
  readonly parse: (answer: unknown) => Answer;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

/** Pipes of the child by descriptor; `stdio` has asked for all of them. */
function pipeOf<Pipe extends Readable | Writable>(child: ChildProcess, descriptor: number): Pipe {
  return child.stdio[descriptor] as Pipe;
}

/** The stream may still hold the bytes when write() returns, so it gets a copy that is zeroed once they are out. */
function sendSecrets(pipe: Writable, secrets: readonly SecretBuffer[]): void {
  const copy = Buffer.allocUnsafeSlow(secrets.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const secret of secrets) at += secret.use((bytes) => bytes.copy(copy, at));
  pipe.on('error', () => undefined);
  pipe.end(copy, () => copy.fill(0));
  pipe.on('close', () => copy.fill(0));
}

function sendRequest(pipe: Writable, request: object): void {
  pipe.on('error', () => undefined);
  pipe.end(JSON.stringify(request));
}

/**
 * Collects up to `maxBytes`; more is cut off, and a broken pipe ends the collection: the reader of the result notices
 * both.
 */
async function collect(pipe: Readable, maxBytes: number): Promise<Buffer> {
  const all = Buffer.alloc(maxBytes);
  let length = 0;
  try {
    for await (const chunk of pipe) {
      length += (chunk as Buffer).copy(all, length);
    }
  } catch {
    // the child's end says why
  }
  return all.subarray(0, length);
}

function failed(message: string, cause?: unknown): KeystoreError {
  return new KeystoreError('KEYSTORE_CHECK_FAILED', message, cause === undefined ? {} : { cause });
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

function start(mainFile: string, signal: AbortSignal, timeoutMs: number): ChildProcess {
  const child = spawn(process.execPath, [mainFile], {
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    env: nodeChildEnvironment(),
    cwd: '/',
    signal,
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  return markOwnChild(child);
}

/**
 * @throws KeystoreError KEYSTORE_CHECK_FAILED, KEYSTORE_CHECK_TIMEOUT; the signal's reason. What the process met is in its answer
 */
export async function runKeystoreProcess<Answer>(task: KeystoreTask<Answer>): Promise<Answer> {
  const { signal, timeoutMs } = task;
  signal.throwIfAborted();
  const child = start(task.mainFile, signal, timeoutMs);
  const ending = whenEnded(child);
  sendSecrets(pipeOf(child, SECRETS_DESCRIPTOR), task.secrets);
  sendRequest(pipeOf(child, 0), task.request);
  const [stdout, stderr, ended] = await Promise.all([
    collect(pipeOf(child, 1), MAX_ANSWER_BYTES),
    collect(pipeOf(child, 2), MAX_COMPLAINT_BYTES),
    ending,
  ]);
  signal.throwIfAborted();
  if (child.killed) {
    throw new KeystoreError('KEYSTORE_CHECK_TIMEOUT', `work on the keystore took longer than ${timeoutMs} ms`);
  }
  if (ended.error !== undefined) throw failed('the process for the keystore could not be started', ended.error);
  return parseAnswer(task.parse, stdout, stderr, ended.description);
}

function parseAnswer<Answer>(
  parse: (answer: unknown) => Answer,
  stdout: Buffer,
  stderr: Buffer,
  ended: string,
): Answer {
  try {
    return parse(JSON.parse(stdout.toString('utf8')));
  } catch (cause) {
    throw failed(`the process for the keystore ${ended} without an answer: ${stderr.toString('utf8')}`, cause);
  }
}
