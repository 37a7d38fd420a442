/**
 * What an enclave would refuse of its measured folder at boot, or its acra-server and its clients later, as far as it can be
 * told without the master key: certificates, the file with the master key's ciphertext, and which keys there are.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadEncryptorConfig } from '../acra/encryptor-config/lint.ts';
import type { EncryptorConfig } from '../acra/encryptor-config/schema.ts';
import { KeystoreError } from '../acra/errors.ts';
import { formFindings, refusedSealedFile } from '../acra/keystore/key-form.ts';
import { clientKeyFiles } from '../acra/keystore/layout.ts';
import { listKeystore } from '../acra/keystore/listing.ts';
import { requireSoundKeystore } from '../acra/keystore/report.ts';
import { missingFindings } from '../acra/keystore/requirements.ts';
import type { EnclaveConfig } from '../config/enclave.ts';
import { describeError } from '../runtime/errors.ts';
import { KeyError } from './errors.ts';
import type { Finding } from './finding.ts';
import { requireNoFinding } from './finding.ts';
import { parseMasterKeyFile } from './master-key-file.ts';
import { sealedKeyFindings } from './sealed-server-key.ts';
import type { FolderCertificates } from './tls/folder-certificates.ts';
import { checkFolderCertificates } from './tls/folder-certificates.ts';

interface MeasuredFolder {
  readonly folder: string;
  readonly config: EnclaveConfig;
  readonly encryptorConfig: EncryptorConfig;
  readonly nowMs: number;
}

function masterKeyFindings({ folder, config }: MeasuredFolder, { server }: FolderCertificates): Finding[] {
  const file = config.kms.ciphertext;
  try {
    const text = readFileSync(join(folder, file), 'utf8');
    parseMasterKeyFile(text, config.kms);
    return server === undefined ? [] : sealedKeyFindings(text, server, config);
  } catch (error) {
    const code = error instanceof KeyError ? error.code : 'MASTER_KEY_FILE_INVALID';
    return [{ code, file, message: describeError(error) }];
  }
}

async function requireKeys({ folder, config: { acra }, encryptorConfig }: MeasuredFolder): Promise<void> {
  const keystore = join(folder, acra.keystore);
  const { files, findings } = await listKeystore(keystore);
  const forms = await formFindings(keystore, files);
  const missing = missingFindings({ encryptorConfig, poisonDetection: acra.poisonDetection }, files);
  requireSoundKeystore({
    folder: keystore,
    openedKeys: 0,
    clientIds: [],
    poisonKeys: [],
    // Modes are those of the image, by rule; a checkout has others.
    findings: [
      ...findings.filter(({ code }) => code !== 'KEYSTORE_PERMISSION'),
      ...forms,
      ...(files.length === 0 ? [] : missing),
    ],
  });
}

async function requireSealedKey(folder: string, file: string): Promise<void> {
  const found = await refusedSealedFile(join(folder, file));
  if (found === undefined) return;
  throw new KeystoreError('KEYSTORE_SEALED_FILE', `${file} does not hold the sealed TLS key`, {
    found,
    allowed: 'what `acra-enclave keys new` or `keys seal` writes',
  });
}

/**
 * @returns what enclave.yaml names and is not there (yet), relative to the folder; all else is sound
 * @throws KeyError with all that is wrong; KeystoreError
 */
export async function checkMeasuredFolder(measured: MeasuredFolder): Promise<readonly string[]> {
  const { folder, config, nowMs } = measured;
  const certificates = checkFolderCertificates(folder, config, nowMs);
  const made = [config.kms.ciphertext, config.acra.keystore, config.acra.sealedKey];
  const unmade = made.filter((file) => !existsSync(join(folder, file)));
  const keyFindings = unmade.includes(config.kms.ciphertext) ? [] : masterKeyFindings(measured, certificates);
  requireNoFinding([...certificates.findings, ...keyFindings]);
  if (!unmade.includes(config.acra.sealedKey)) await requireSealedKey(folder, config.acra.sealedKey);
  if (!unmade.includes(config.acra.keystore)) await requireKeys(measured);
  return [...certificates.missing, ...unmade];
}

/**
 * Whether the keys of these clients will be all that the columns of encryptor.yaml need. A file that is not there yet needs none.
 * @throws KeystoreError KEYSTORE_KEY_MISSING; EncryptorError
 */
export async function requirePlannedKeys(
  folder: string,
  { acra }: EnclaveConfig,
  clientIds: readonly string[],
): Promise<void> {
  const file = join(folder, acra.encryptorConfig);
  if (!existsSync(file)) return;
  const encryptorConfig = await loadEncryptorConfig(file);
  const planned = clientIds.flatMap(clientKeyFiles);
  const [first] = missingFindings({ encryptorConfig }, planned);
  if (first === undefined) return;
  throw new KeystoreError('KEYSTORE_KEY_MISSING', `${acra.encryptorConfig} names columns of clients that get no keys`, {
    found: first.message,
    action:
      'Name the certificates of these clients too with --client, or mend `client_id` in the encryptor configuration.',
  });
}
