/** The key that signs a release: a PEM file, or a descriptor that holds one (/dev/fd/3). It never stands in an argument or in the environment. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { MeasurementsError } from '../../attestation/published/errors.ts';
import {
  readSigningKey,
  readVerifyingKey,
  type SigningKey,
  type VerifyingKey,
} from '../../attestation/published/keys.ts';
import { DeployError } from '../errors.ts';

function readPem(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new DeployError('RELEASE_KEY', `cannot read the key in ${path}`, { cause });
  }
}

function orRefuse<Key>(read: () => Key): Key {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof MeasurementsError) throw new DeployError('RELEASE_KEY', 'the key cannot be used', { cause });
    throw cause;
  }
}

/** @throws DeployError RELEASE_KEY */
export function signingKeyIn(path: string): SigningKey {
  const pem = readPem(path);
  try {
    return orRefuse(() => readSigningKey(basename(path), pem));
  } finally {
    pem.fill(0);
  }
}

/** @throws DeployError RELEASE_KEY */
export function publicKeyIn(path: string): VerifyingKey {
  return orRefuse(() => readVerifyingKey(basename(path), readPem(path)));
}
