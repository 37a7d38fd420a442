/** Files of measurements and of the keys that sign them, as options name them. */
import { basename, resolve } from 'node:path';
import type { ExpectedMeasurements } from '../../attestation/expected.ts';
import { MeasurementsError } from '../../attestation/published/errors.ts';
import type { SigningKey, VerifyingKey } from '../../attestation/published/keys.ts';
import { MAX_KEY_FILE_BYTES, readSigningKey, readVerifyingKey } from '../../attestation/published/keys.ts';
import { MAX_MEASUREMENTS_BYTES, type PublishedDemands, readPublished } from '../../attestation/published/read.ts';
import { readSmallFile } from '../../eif/input-file.ts';
import { readSecretFile } from '../../keys/secret-file.ts';
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';

const MAX_PASSPHRASE_BYTES = 1_024;

async function readFile(path: string, maxBytes: number): Promise<Buffer> {
  return readSmallFile(resolve(path), maxBytes).catch((cause: unknown) => {
    throw new MeasurementsError('MEASUREMENTS_FILE', `cannot read ${path}`, { cause });
  });
}

/** @throws MeasurementsError MEASUREMENTS_FILE */
export function readMeasurements(path: string): Promise<Buffer> {
  return readFile(path, MAX_MEASUREMENTS_BYTES);
}

/**
 * What is expected of an enclave, as a file says it that those have signed whose keys are named.
 * @param require paths of public keys
 * @throws MeasurementsError
 */
export async function readExpectedMeasurements(
  path: string,
  { require, ...demands }: Omit<PublishedDemands, 'require'> & { readonly require: readonly string[] },
): Promise<ExpectedMeasurements> {
  return readPublished(await readMeasurements(path), { ...demands, require: await readRequiredKeys(require) });
}

/** In the order of the paths. @throws MeasurementsError MEASUREMENTS_FILE, and those of readVerifyingKey */
export function readRequiredKeys(paths: readonly string[]): Promise<VerifyingKey[]> {
  return Promise.all(
    paths.map(async (path) => readVerifyingKey(basename(path), await readFile(path, MAX_KEY_FILE_BYTES))),
  );
}

function passphraseFault(bytes: Buffer): string | undefined {
  if (bytes.length === 0) return 'it is empty';
  if (bytes.length > MAX_PASSPHRASE_BYTES) return `it is longer than ${MAX_PASSPHRASE_BYTES} bytes`;
  return bytes.includes('\n') ? 'it has more than one line' : undefined;
}

/** @throws MeasurementsError MEASUREMENTS_FILE, MEASUREMENTS_KEY_ENCRYPTED: it holds none */
export function readPassphrase(path: string): SecretBuffer {
  let found: SecretBuffer | string;
  try {
    found = readSecretFile(path, { maxBytes: MAX_PASSPHRASE_BYTES, fault: passphraseFault });
  } catch (cause) {
    throw new MeasurementsError('MEASUREMENTS_FILE', `cannot read ${path}`, { cause });
  }
  if (typeof found !== 'string') return found;
  throw new MeasurementsError('MEASUREMENTS_KEY_ENCRYPTED', `${path} holds no passphrase`, { found });
}

/** @throws MeasurementsError MEASUREMENTS_FILE, and those of readSigningKey */
export async function readSigningKeyFile(path: string, passphraseFile: string | undefined): Promise<SigningKey> {
  const pem = await readFile(path, MAX_KEY_FILE_BYTES);
  try {
    using passphrase = passphraseFile === undefined ? undefined : readPassphrase(passphraseFile);
    return readSigningKey(basename(path), pem, passphrase);
  } finally {
    pem.fill(0);
  }
}
