/**
 * A password, verifier or passphrase, as an operator hands it over: a file with one line. What is more likely another
 * file is refused. The bytes are never a string; a pipe is read as well as a file.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { SecretBuffer } from '../runtime/secret-buffer.ts';
import type { SecretForm } from './secret-form.ts';

const [NEWLINE, RETURN] = [0x0a, 0x0d];

/** Up to one byte more than a secret and its line break may have. The caller zeroes the whole buffer. */
function readInto(buffer: Buffer, file: string): number {
  const descriptor = openSync(file, 'r');
  try {
    let length = 0;
    for (let count = -1; count !== 0 && length < buffer.length; length += count) {
      count = readSync(descriptor, buffer, length, buffer.length - length, null);
    }
    return length;
  } finally {
    closeSync(descriptor);
  }
}

function withoutLineBreak(bytes: Buffer): Buffer {
  if (bytes.at(-1) !== NEWLINE) return bytes;
  return bytes.subarray(0, bytes.at(-2) === RETURN ? -2 : -1);
}

/**
 * @returns the secret, which the caller disposes, or why it is none of this form
 * @throws what the file system says of a file that cannot be read
 */
export function readSecretFile(
  file: string,
  { maxBytes, fault }: Pick<SecretForm, 'maxBytes' | 'fault'>,
): SecretBuffer | string {
  const buffer = Buffer.allocUnsafeSlow(maxBytes + '\r\n'.length + 1);
  try {
    const secret = withoutLineBreak(buffer.subarray(0, readInto(buffer, file)));
    return fault(secret) ?? SecretBuffer.take(secret);
  } finally {
    buffer.fill(0);
  }
}
