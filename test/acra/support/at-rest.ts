/** The keystore and rows that acra-server 0.96.0 itself wrote (test/vectors/acra/PROVENANCE.md). */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SecretBuffer } from '../../../runtime/secret-buffer.ts';

interface AtRest {
  readonly clientId: string;
  readonly masterKeyBase64: string;
  readonly keystore: Readonly<Record<string, { readonly mode: string; readonly base64: string }>>;
  readonly keystoreSecretsBase64: Readonly<Record<string, string>>;
  readonly encryptorConfig: string;
  readonly rows: readonly {
    readonly plaintext: { readonly email: string; readonly secret: string; readonly blobBase64: string };
    readonly storedBase64: { readonly email: string; readonly secret: string; readonly blob: string };
  }[];
}

export const atRest: AtRest = JSON.parse(
  readFileSync(new URL('../../vectors/acra/acra-0.96.0-at-rest.json', import.meta.url), 'utf8'),
);

export function masterKeyBytes(): Buffer {
  return Buffer.from(atRest.masterKeyBase64, 'base64');
}

export function masterKey(): SecretBuffer {
  return SecretBuffer.take(masterKeyBytes());
}

/** The same key with one bit changed. @param bit 0..255 */
export function masterKeyWithFlippedBit(bit: number): SecretBuffer {
  const bytes = masterKeyBytes();
  const at = Math.floor(bit / 8);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit % 8));
  return SecretBuffer.take(bytes);
}

/** Writes the keystore below `folder` and returns where. */
export function writeKeystore(folder: string): string {
  const keystore = join(folder, 'keystore');
  for (const [path, { mode, base64 }] of Object.entries(atRest.keystore)) {
    const file = join(keystore, path);
    mkdirSync(dirname(file), { recursive: true });
    chmodSync(dirname(file), 0o700);
    writeFileSync(file, Buffer.from(base64, 'base64'));
    chmodSync(file, Number.parseInt(mode, 8));
  }
  chmodSync(keystore, 0o700);
  return keystore;
}
