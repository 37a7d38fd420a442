/**
 * The password of a user of the database, as an operator hands it over: a file with one line. What PostgreSQL could not have stored as a
 * password, or what is more likely another file, is refused. The bytes are never a string; a pipe is read as well as a file.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { SecretBuffer } from '../runtime/secret-buffer.ts';

const MAX_PASSWORD_BYTES = 1_024;
const [NUL, NEWLINE, RETURN] = [0x00, 0x0a, 0x0d];
export const PASSWORD_FORM = `1 to ${MAX_PASSWORD_BYTES} bytes on one line; a line break at the end does not count`;

/** For people, without a word of what is in it; undefined for a password. */
export function passwordFault(bytes: Buffer): string | undefined {
  if (bytes.length === 0) return 'it is empty';
  if (bytes.length > MAX_PASSWORD_BYTES) return `it is longer than ${MAX_PASSWORD_BYTES} bytes`;
  if (bytes.includes(NUL)) return 'it has a zero byte';
  return bytes.includes(NEWLINE) || bytes.includes(RETURN) ? 'it has more than one line' : undefined;
}

/** Up to one byte more than a password and its line break may have. The caller zeroes the whole buffer. */
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
 * @returns the password, which the caller disposes, or why it is none
 * @throws what the file system says of a file that cannot be read
 */
export function readPasswordFile(file: string): SecretBuffer | string {
  const buffer = Buffer.allocUnsafeSlow(MAX_PASSWORD_BYTES + '\r\n'.length + 1);
  try {
    const password = withoutLineBreak(buffer.subarray(0, readInto(buffer, file)));
    return passwordFault(password) ?? SecretBuffer.take(password);
  } finally {
    buffer.fill(0);
  }
}
