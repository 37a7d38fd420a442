/** Makes a keystore v1 (acra-server contract 9.2): complete in a temporary folder first, then renamed into place. */
import { randomBytes } from 'node:crypto';
import { chmod, lstat, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorCode } from '../../runtime/errors.ts';
import type { Random } from '../../runtime/random.ts';
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { AcraError, KeystoreError } from '../errors.ts';
import type { KeyFile } from './layout.ts';
import {
  CLIENT_ID_FORM,
  clientKeyFile,
  FOLDER_MODE,
  isClientId,
  POISON_FILES,
  POISON_FOLDER,
  PRIVATE_FILE_MODE,
  PUBLIC_FILE_MODE,
  SYMMETRIC_KEY_BYTES,
} from './layout.ts';
import { useMasterKey } from './master-key.ts';
import type { Themis } from './themis.ts';
import { loadThemis } from './themis.ts';

interface CreateKeystoreOptions {
  /** Must not exist; its parent must. */
  readonly folder: string;
  readonly masterKey: SecretBuffer;
  /** At least one, each of CLIENT_ID_FORM. */
  readonly clientIds: readonly string[];
  readonly random: Random;
  /** Also make the keys of poison records; default true. */
  readonly poison?: boolean;
}

interface NewFile {
  readonly file: KeyFile;
  readonly content: Buffer;
}

class KeyMaker {
  readonly #themis: Themis;
  readonly #masterKey: Buffer;
  readonly #random: Random;

  constructor(themis: Themis, masterKey: Buffer, random: Random) {
    this.#themis = themis;
    this.#masterKey = masterKey;
    this.#random = random;
  }

  #seal(file: KeyFile, secret: Buffer): NewFile {
    const content = this.#themis.seal(this.#masterKey, secret, file.context ?? '');
    secret.fill(0);
    return { file, content };
  }

  symmetric(file: KeyFile): NewFile {
    return this.#seal(file, this.#random.bytes(SYMMETRIC_KEY_BYTES));
  }

  pair(privateFile: KeyFile, publicFile: KeyFile): NewFile[] {
    const { privateKey, publicKey } = this.#themis.newKeyPair();
    return [this.#seal(privateFile, privateKey), { file: publicFile, content: publicKey }];
  }
}

function clientFiles(make: KeyMaker, clientId: string): NewFile[] {
  return [
    make.symmetric(clientKeyFile(clientId, 'storage-symmetric')),
    make.symmetric(clientKeyFile(clientId, 'search-hmac')),
    ...make.pair(clientKeyFile(clientId, 'storage-private'), clientKeyFile(clientId, 'storage-public')),
  ];
}

function poisonFiles(make: KeyMaker): NewFile[] {
  return [make.symmetric(POISON_FILES.symmetric), ...make.pair(POISON_FILES.private, POISON_FILES.public)];
}

function checkClientIds(clientIds: readonly string[]): void {
  const bad = clientIds.find((id) => !isClientId(id));
  if (clientIds.length > 0 && bad === undefined) return;
  throw new AcraError('ACRA_CLIENT_ID_INVALID', 'a keystore needs client ids of the form that acra-server accepts', {
    found: bad ?? 'no client id',
    allowed: CLIENT_ID_FORM,
  });
}

async function refuseExisting(folder: string): Promise<void> {
  try {
    await lstat(folder);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    throw new KeystoreError('KEYSTORE_WRITE', `${folder} cannot be looked at`, { cause: error });
  }
  throw new KeystoreError('KEYSTORE_EXISTS', `${folder} exists already`);
}

/** Modes are set explicitly: acra-server wants exactly these, whatever the umask (acra-server contract 2.5). */
async function writeFiles(folder: string, files: readonly NewFile[]): Promise<void> {
  await mkdir(folder, { mode: FOLDER_MODE });
  await chmod(folder, FOLDER_MODE);
  for (const { file, content } of files) {
    const path = join(folder, file.path);
    const mode = file.context === undefined ? PUBLIC_FILE_MODE : PRIVATE_FILE_MODE;
    if (dirname(file.path) === POISON_FOLDER) {
      await mkdir(dirname(path), { recursive: true, mode: FOLDER_MODE });
      await chmod(dirname(path), FOLDER_MODE);
    }
    await using handle = await open(path, 'wx', mode);
    await handle.chmod(mode);
    await handle.writeFile(content);
    await handle.sync();
  }
}

/**
 * Makes the keys of all clients, sealed under the master key. Nothing is left behind when it fails.
 * @throws KeystoreError KEYSTORE_MASTER_KEY_LENGTH, KEYSTORE_EXISTS, KEYSTORE_WRITE, KEYSTORE_CRYPTO_UNAVAILABLE
 * @throws AcraError ACRA_CLIENT_ID_INVALID
 */
export async function createKeystore(options: CreateKeystoreOptions): Promise<void> {
  const { folder, masterKey, random, poison = true } = options;
  const clientIds = [...new Set(options.clientIds)];
  checkClientIds(clientIds);
  await refuseExisting(folder);
  const themis = await loadThemis();
  const files = useMasterKey(masterKey, (key) => {
    const make = new KeyMaker(themis, key, random);
    return [...clientIds.flatMap((id) => clientFiles(make, id)), ...(poison ? poisonFiles(make) : [])];
  });
  const temporary = `${folder}.new-${randomBytes(6).toString('hex')}`;
  try {
    await writeFiles(temporary, files);
    await refuseExisting(folder);
    await rename(temporary, folder);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    if (error instanceof KeystoreError) throw error;
    throw new KeystoreError('KEYSTORE_WRITE', `the keystore cannot be written to ${folder}`, { cause: error });
  }
}
