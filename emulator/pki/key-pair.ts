/** A private key with its certificate, and the file that keeps both: one PEM text, so that they cannot get apart. */
import type { KeyObject } from 'node:crypto';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { EmulatorError } from '../errors.ts';
import { createOnce } from '../state-file.ts';
import { toPem } from './certificate.ts';

export interface KeyPair {
  readonly certificateDer: Buffer;
  readonly privateKey: KeyObject;
}

export function privateKeyPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function parse(path: string, text: string): KeyPair {
  try {
    const privateKey = createPrivateKey(text);
    const certificate = new X509Certificate(text);
    if (!certificate.checkPrivateKey(privateKey))
      throw new EmulatorError('EMULATOR_STATE', 'the private key does not belong to the certificate');
    return { certificateDer: certificate.raw, privateKey };
  } catch (error) {
    throw new EmulatorError('EMULATOR_STATE', `cannot use the key file ${path}`, { cause: error });
  }
}

/** The pair kept in the file (mode 0600), made when it is not there. @throws EmulatorError EMULATOR_STATE */
export async function loadOrCreateKeyPair(path: string, make: () => KeyPair): Promise<KeyPair> {
  const text = await createOnce(path, () => {
    const pair = make();
    return privateKeyPem(pair.privateKey) + toPem(pair.certificateDer);
  });
  return parse(path, text);
}
