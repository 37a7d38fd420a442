/**
 * Makes an enclave's keys: a fresh master key, Acra's keystore sealed under it, the TLS key of the enclave's server
 * certificate and the secrets of database users sealed under it, and the master key's KMS ciphertext. The plaintext exists in this process only, in one
 * Buffer that is zeroed; a ceremony inside an attested enclave is the stronger form.
 */
import { createKeystore } from '../acra/keystore/create.ts';
import { databaseUserContext, sealFile, TLS_KEY_CONTEXT } from '../acra/keystore/seal-file.ts';
import { untilAborted } from '../runtime/abort.ts';
import type { Random } from '../runtime/random.ts';
import { SecretBuffer } from '../runtime/secret-buffer.ts';
import { encodeMasterKeyFile } from './master-key-file.ts';
import { refuseExisting, StagedOutputs } from './staged-outputs.ts';

const MASTER_KEY_BYTES = 32;

/** A password, or a verifier. */
export interface SecretToSeal {
  readonly user: string;
  readonly secret: SecretBuffer;
  /** Written; its folder is made when it is not there. */
  readonly sealedFile: string;
}

/** Stages the sealed secrets of users. @throws KeyError KEY_OUTPUT_EXISTS, KEY_OUTPUT_WRITE */
export async function sealUserSecrets(
  secrets: readonly SecretToSeal[],
  masterKey: SecretBuffer,
  outputs: StagedOutputs,
  kind: 'new' | 'replacing',
): Promise<void> {
  for (const { user, secret, sealedFile } of secrets) {
    const sealed = sealFile({ plaintext: secret, masterKey, context: databaseUserContext(user) });
    outputs.makeFolderOf(sealedFile);
    outputs.write(sealedFile, sealed, kind);
  }
}

/** Private key of the server's certificate. */
interface TlsKeyToSeal {
  /** Written; must not exist. */
  readonly sealedFile: string;
  /** PEM, checked before (ceremony-input.ts). */
  readonly key: SecretBuffer;
  /** SHA-256 of its public half, in hex. */
  readonly sha256: string;
}

export interface CeremonyOptions {
  /** Made new; must not exist. */
  readonly keystoreFolder: string;
  readonly clientIds: readonly string[];
  /** Written: the master key's KMS ciphertext; must not exist. */
  readonly ciphertextFile: string;
  /** Undefined where the enclave makes its TLS key itself. */
  readonly tlsKey: TlsKeyToSeal | undefined;
  /** Checked before; each is sealed in a file of its own, which must not exist. */
  readonly databaseSecrets: readonly SecretToSeal[];
  readonly random: Random;
  readonly keyArn: string;
  readonly encryptionContext: Readonly<Record<string, string>>;
  /** KMS Encrypt of the plaintext under that key and context. */
  readonly encrypt: (plaintext: Buffer) => Promise<Buffer>;
  readonly signal: AbortSignal;
}

/**
 * All is made, or nothing is there afterwards that was not before.
 * @throws KeyError KEY_OUTPUT_EXISTS, KEY_OUTPUT_WRITE; what `encrypt` and createKeystore throw; the signal's reason
 */
export async function makeKeys(options: CeremonyOptions): Promise<void> {
  const { keystoreFolder, ciphertextFile, tlsKey, signal, random } = options;
  const { keyArn, encryptionContext, databaseSecrets } = options;
  const sealedFiles = databaseSecrets.map(({ sealedFile }) => sealedFile);
  const serverKeyFiles = tlsKey === undefined ? [] : [tlsKey.sealedFile];
  refuseExisting([ciphertextFile, keystoreFolder, ...serverKeyFiles, ...sealedFiles]);
  using masterKey = SecretBuffer.take(random.bytes(MASTER_KEY_BYTES));
  const ciphertext = await untilAborted(
    masterKey.use((bytes) => options.encrypt(bytes)),
    signal,
  );
  using outputs = new StagedOutputs();
  // First in its place: what is sealed must never be there without it.
  const masterKeyFile = encodeMasterKeyFile({ keyArn, encryptionContext, ciphertext, serverKeySha256: tlsKey?.sha256 });
  outputs.write(ciphertextFile, masterKeyFile);
  const folder = outputs.stage(keystoreFolder);
  await createKeystore({ folder, masterKey, clientIds: options.clientIds, random, poison: true });
  if (tlsKey !== undefined) {
    const sealedKey = sealFile({ plaintext: tlsKey.key, masterKey, context: TLS_KEY_CONTEXT });
    outputs.write(tlsKey.sealedFile, sealedKey);
  }
  await sealUserSecrets(databaseSecrets, masterKey, outputs, 'new');
  signal.throwIfAborted();
  outputs.commit();
}
