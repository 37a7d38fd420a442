/** Operators of an enclave whose keys the parent keeps: each has a key that signs requests; the enclave is given the public halves. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface DemoOperator {
  readonly name: string;
  /** PEM, for the measured folder. */
  readonly publicPem: string;
  /** PEM in PKCS #8; stays with the operator. */
  readonly privateKeyFile: string;
}

/** @param folder made if it is not there */
export function makeOperators(folder: string, names: readonly string[]): DemoOperator[] {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return names.map((name) => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const privateKeyFile = join(folder, `${name}.key.pem`);
    writeFileSync(privateKeyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    return { name, publicPem: String(publicKey.export({ type: 'spki', format: 'pem' })), privateKeyFile };
  });
}
