/** The inner side of a short-lived process that changes a keystore (process-protocol.ts): reads request and secrets, answers once. */
import { closeSync, readFileSync, readSync, writeSync } from 'node:fs';
import { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { answerOfError, type FailureAnswer, SECRETS_DESCRIPTOR } from './process-protocol.ts';

/** Everything on SECRETS_DESCRIPTOR, up to `maxBytes`: what is longer is cut off there. To be called once. */
export function readSecrets(maxBytes: number): SecretBuffer {
  const bytes = Buffer.allocUnsafeSlow(maxBytes);
  let length = 0;
  for (let read = -1; read !== 0 && length < bytes.length; length += read) {
    read = readSync(SECRETS_DESCRIPTOR, bytes, length, bytes.length - length, null);
  }
  closeSync(SECRETS_DESCRIPTOR);
  try {
    return SecretBuffer.take(bytes.subarray(0, length));
  } finally {
    bytes.fill(0);
  }
}

function writeAll(descriptor: number, bytes: Buffer): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
}

/** @param perform is given what stdin held, parsed as JSON; what it throws becomes the answer */
export async function answerOnce(perform: (request: unknown) => Promise<object>): Promise<void> {
  let answer: object | FailureAnswer;
  try {
    answer = await perform(JSON.parse(readFileSync(0, 'utf8')));
  } catch (error) {
    answer = answerOfError(error);
  }
  writeAll(1, Buffer.from(JSON.stringify(answer)));
}
