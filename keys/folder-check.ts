/**
 * What an enclave would refuse of its measured folder at boot, or its acra-server and its clients later, as far as it can be
 * told without the master key: certificates, the file with the master key's ciphertext, and which keys there are.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadEncryptorConfig } from '../acra/encryptor-config/lint.ts';
import type { EncryptorConfig } from '../acra/encryptor-config/schema.ts';
import { tokenUseOf } from '../acra/encryptor-config/token-use.ts';
import { KeystoreError } from '../acra/errors.ts';
import { formFindings, refusedSealedFile } from '../acra/keystore/key-form.ts';
import { clientKeyFiles } from '../acra/keystore/layout.ts';
import { listKeystore } from '../acra/keystore/listing.ts';
import { requireSoundKeystore } from '../acra/keystore/report.ts';
import { missingFindings } from '../acra/keystore/requirements.ts';
import type { EnclaveConfig } from '../config/enclave.ts';
import { requireKms } from '../config/kms.ts';
import { sealedTlsKeyOf } from '../config/tls.ts';
import { loginOf, secretFilesOf } from '../config/user-secrets.ts';
import { describeError } from '../runtime/errors.ts';
import { clientsOfUsers } from './database-clients.ts';
import { KeyError } from './errors.ts';
import type { Finding } from './finding.ts';
import { requireNoFinding } from './finding.ts';
import { checkRecipients } from './keepers/recipients.ts';
import { parseMasterKeyFile } from './master-key-file.ts';
import { checkOperators } from './operators.ts';
import { placeFindings } from './output-places.ts';
import { sealedKeyFindings } from './sealed-server-key.ts';
import { secretFormOf } from './secret-form.ts';
import { bindingWarnings } from './tls/channel-binding.ts';
import type { FolderCertificates } from './tls/folder-certificates.ts';
import { checkFolderCertificates } from './tls/folder-certificates.ts';

interface MeasuredFolder {
  readonly folder: string;
  readonly config: EnclaveConfig;
  readonly encryptorConfig: EncryptorConfig;
  readonly nowMs: number;
}

function masterKeyFindings({ folder, config }: MeasuredFolder, { server }: FolderCertificates): Finding[] {
  const kms = requireKms(config);
  const file = kms.ciphertext;
  try {
    const text = readFileSync(join(folder, file), 'utf8');
    parseMasterKeyFile(text, kms);
    return server === undefined ? [] : sealedKeyFindings(text, server, config);
  } catch (error) {
    const code = error instanceof KeyError ? error.code : 'MASTER_KEY_FILE_INVALID';
    return [{ code, file, message: describeError(error) }];
  }
}

async function requireKeys({ folder, config, encryptorConfig }: MeasuredFolder): Promise<void> {
  const { acra } = config;
  const clientNames = clientsOfUsers(config);
  const keystore = join(folder, acra.keystore);
  const { files, findings } = await listKeystore(keystore);
  const forms = await formFindings(keystore, files);
  const needed = {
    encryptorConfig,
    poisonDetection: acra.poisonDetection,
    clientIds: [...clientNames.keys()],
    clientNames,
  };
  const missing = missingFindings(needed, files);
  requireSoundKeystore({
    folder: keystore,
    openedKeys: 0,
    clientIds: [],
    keyIds: [],
    poisonKeys: [],
    // Modes are those of the image, by rule; a checkout has others.
    findings: [
      ...findings.filter(({ code }) => code !== 'KEYSTORE_PERMISSION'),
      ...forms,
      ...(files.length === 0 ? [] : missing),
    ],
  });
}

interface SealedSecret {
  readonly file: string;
  /** For people. */
  readonly what: string;
}

function sealedSecrets(config: EnclaveConfig): SealedSecret[] {
  const { database } = config;
  const tlsKey = sealedTlsKeyOf(config);
  const { what } = secretFormOf(loginOf(database));
  const ofUsers = database.users.flatMap((user) =>
    secretFilesOf(user).map(({ file, setting }) => ({
      file,
      what: `${setting === 'secret' ? '' : 'next '}${what} of database user ${user.name}`,
    })),
  );
  return [...(tlsKey === undefined ? [] : [{ file: tlsKey.sealedKey, what: 'TLS key' }]), ...ofUsers];
}

async function requireSealed(folder: string, { file, what }: SealedSecret): Promise<void> {
  const found = await refusedSealedFile(join(folder, file));
  if (found === undefined) return;
  throw new KeystoreError('KEYSTORE_SEALED_FILE', `${file} does not hold the sealed ${what}`, {
    found,
    allowed: 'what `acra-enclave keys new` or `keys seal` writes',
  });
}

export interface MissingFile {
  /** Relative to the folder. */
  readonly file: string;
  /** For people, where the name may not say it. */
  readonly what?: string;
}

export interface CheckedFolder {
  /** What enclave.yaml names and is not there (yet). */
  readonly missing: readonly MissingFile[];
  /** What is sound, and keeps something from working, for people. */
  readonly warnings: readonly string[];
}

async function checkKeysOfImage(measured: MeasuredFolder, certificates: FolderCertificates): Promise<CheckedFolder> {
  const { folder, config } = measured;
  const secrets = sealedSecrets(config);
  const { acra } = config;
  const kms = requireKms(config);
  const isThere = (file: string) => existsSync(join(folder, file));
  const keyFindings = isThere(kms.ciphertext) ? masterKeyFindings(measured, certificates) : [];
  requireNoFinding([...placeFindings(config), ...certificates.findings, ...keyFindings]);
  for (const secret of secrets) if (isThere(secret.file)) await requireSealed(folder, secret);
  if (isThere(acra.keystore)) await requireKeys(measured);
  const ofSecrets = secrets.map(({ file, what }) => ({ file, what: `the sealed ${what}` }));
  const named = [{ file: kms.ciphertext }, { file: acra.keystore }, ...ofSecrets];
  return { missing: named.filter(({ file }) => !isThere(file)), warnings: [] };
}

/** The keys themselves are not in the folder; those who decide over them are. */
function checkKeysOfParent({ folder, config }: MeasuredFolder, certificates: FolderCertificates): CheckedFolder {
  const operators = checkOperators(folder, config);
  const recipients = checkRecipients(folder, config);
  const ofKeys = [...operators.findings, ...recipients.findings];
  requireNoFinding([...placeFindings(config), ...certificates.findings, ...ofKeys]);
  const unused = [
    config.kms?.ciphertext ?? [],
    config.acra.keystore,
    ...sealedSecrets(config).map(({ file }) => file),
  ].flat();
  const warnings = unused
    .filter((file) => existsSync(join(folder, file)))
    .map((file) => `${file} is there and is not used: with keys.source: parent the keys come in key sets`);
  const signing = operators.missing.map(({ file, name }) => ({ file, what: `the public key of operator ${name}` }));
  const encryption = recipients.missing.map(({ file, name }) => ({
    file,
    what: `the encryption key of operator ${name}`,
  }));
  return { missing: [...signing, ...encryption], warnings };
}

/**
 * All that is there is sound.
 * @throws KeyError with all that is wrong; KeystoreError
 */
export async function checkMeasuredFolder(measured: MeasuredFolder): Promise<CheckedFolder> {
  const { folder, config, nowMs } = measured;
  const certificates = checkFolderCertificates(folder, config, nowMs);
  const keys =
    config.keys.source === 'parent'
      ? checkKeysOfParent(measured, certificates)
      : await checkKeysOfImage(measured, certificates);
  return {
    missing: [...certificates.missing.map((file) => ({ file })), ...keys.missing],
    warnings: [...bindingWarnings(config, certificates), ...keys.warnings],
  };
}

/** @throws KeystoreError KEYSTORE_KEY_MISSING */
function requireKeysOfUsers(config: EnclaveConfig, clientIds: readonly string[]): void {
  const forgotten = [...clientsOfUsers(config)].filter(([clientId]) => !clientIds.includes(clientId));
  if (forgotten.length === 0) return;
  throw new KeystoreError('KEYSTORE_KEY_MISSING', 'enclave.yaml names clients that get no keys', {
    found: forgotten.map(([, name]) => name).join(', '),
    action: 'Name the certificates of these clients too with --client, or mend `clients` under `database.users`.',
  });
}

/**
 * Whether the keys of these clients will be all that users of the database and the columns of encryptor.yaml need. A file that is not
 * there yet needs none.
 * @throws KeystoreError KEYSTORE_KEY_MISSING; EncryptorError
 */
export async function requirePlannedKeys(
  folder: string,
  config: EnclaveConfig,
  clientIds: readonly string[],
): Promise<void> {
  requireKeysOfUsers(config, clientIds);
  const { acra } = config;
  const file = join(folder, acra.encryptorConfig);
  if (!existsSync(file)) return;
  const encryptorConfig = await loadEncryptorConfig(file, tokenUseOf(config));
  const planned = clientIds.flatMap(clientKeyFiles);
  const [first] = missingFindings({ encryptorConfig }, planned);
  if (first === undefined) return;
  throw new KeystoreError('KEYSTORE_KEY_MISSING', `${acra.encryptorConfig} names columns of clients that get no keys`, {
    found: first.message,
    action:
      'Name the certificates of these clients too with --client, or mend `client_id` in the encryptor configuration.',
  });
}
