/** Loads the private key that signs an image, and makes sure that it belongs to the certificate. The PEM text is zeroed. */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import type { CoseAlgorithm } from '../../encoding/cose-sign1.ts';
import { EifError } from '../errors.ts';
import { readSmallFile } from '../input-file.ts';
import { algorithmOfKey } from './algorithm.ts';
import type { CertificateChain } from './certificate.ts';
import { subjectText } from './certificate-name.ts';

const MAX_KEY_FILE_BYTES = 65_536;

export interface SigningKey {
  readonly algorithm: CoseAlgorithm;
  readonly key: KeyObject;
}

/** @throws EifError EIF_KEY_READ, EIF_KEY_CURVE */
export async function readSigningKey(path: string): Promise<SigningKey> {
  const pem = await readSmallFile(path, MAX_KEY_FILE_BYTES).catch((cause: unknown) => {
    throw new EifError('EIF_KEY_READ', `cannot read the signing key ${path}`, { cause });
  });
  try {
    return toSigningKey(pem, path);
  } finally {
    pem.fill(0);
  }
}

function toSigningKey(pem: Buffer, path: string): SigningKey {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (cause) {
    throw new EifError('EIF_KEY_READ', `${path} is not an unencrypted PEM private key`, { cause });
  }
  return { key, algorithm: algorithmOfKey(key) };
}

/** @throws EifError EIF_KEY_MISMATCH */
export function checkKeyMatches({ key }: SigningKey, { signer }: CertificateChain): void {
  if (!signer.checkPrivateKey(key)) {
    throw new EifError('EIF_KEY_MISMATCH', 'the private key does not belong to the signing certificate', {
      found: `certificate of ${subjectText(signer)}`,
    });
  }
}
