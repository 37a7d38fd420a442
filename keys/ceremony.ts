/**
 * Makes an enclave's keys: a fresh master key, Acra's keystore sealed under it, the TLS key of the enclave's server
 * certificate sealed under it, and the master key's KMS ciphertext. The plaintext exists in this process only, in one
 * Buffer that is zeroed; a ceremony inside an attested enclave is the stronger form.
 */
import { writeFileSync } from 'node:fs';
import { createKeystore } from '../acra/keystore/create.ts';
import { sealFile, TLS_KEY_CONTEXT } from '../acra/keystore/seal-file.ts';
import type { Random } from '../runtime/random.ts';
import { SecretBuffer } from '../runtime/secret-buffer.ts';
import { encodeMasterKeyFile } from './master-key-file.ts';

const MASTER_KEY_BYTES = 32;

export interface CeremonyOptions {
  /** Made new; must not exist. */
  readonly keystoreFolder: string;
  readonly clientIds: readonly string[];
  /** Written: the master key's KMS ciphertext. */
  readonly ciphertextFile: string;
  /** Written: the TLS private key (PEM), sealed. */
  readonly sealedKeyFile: string;
  readonly serverKey: SecretBuffer;
  readonly random: Random;
  readonly keyArn: string;
  readonly encryptionContext: Readonly<Record<string, string>>;
  /** KMS Encrypt of the plaintext under that key and context. */
  readonly encrypt: (plaintext: Buffer) => Promise<Buffer>;
}

export async function makeKeys(options: CeremonyOptions): Promise<void> {
  using masterKey = SecretBuffer.take(options.random.bytes(MASTER_KEY_BYTES));
  const ciphertext = await masterKey.use((bytes) => options.encrypt(bytes));
  await createKeystore({
    folder: options.keystoreFolder,
    masterKey,
    clientIds: options.clientIds,
    random: options.random,
    poison: true,
  });
  const sealedKey = await sealFile({ plaintext: options.serverKey, masterKey, context: TLS_KEY_CONTEXT });
  writeFileSync(options.sealedKeyFile, sealedKey, { flag: 'wx' });
  const { keyArn, encryptionContext } = options;
  writeFileSync(options.ciphertextFile, encodeMasterKeyFile({ keyArn, encryptionContext, ciphertext }), { flag: 'wx' });
}
