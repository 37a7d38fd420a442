/**
 * Checks a keystore before acra-server sees it: acra-server starts with an empty keystore and any key, ignores or chokes
 * on foreign files, and with some settings writes plaintext when a key does not open (acra-server contract 0.1, 1.3, 2.5).
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeError } from '../../runtime/errors.ts';
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { keyId } from '../container.ts';
import { type ClientKeyIds, idsOfAll, type KnownKey } from './client-key-ids.ts';
import { isEcKey } from './ec-key.ts';
import type { KeyFile } from './layout.ts';
import { isPublic, SYMMETRIC_KEY_BYTES } from './layout.ts';
import { listKeystore } from './listing.ts';
import { requireMasterKeyLength, useMasterKey } from './master-key.ts';
import type { KeystoreFinding, KeystoreReport } from './report.ts';
import type { NeededKeys } from './requirements.ts';
import { missingFindings, poisonKeysIn } from './requirements.ts';
import { type Themis, themis } from './themis.ts';

export interface CheckKeystoreOptions extends NeededKeys {
  readonly folder: string;
  readonly masterKey: SecretBuffer;
}

interface LoadedFile {
  readonly file: KeyFile;
  readonly content: Buffer;
}

async function load(folder: string, files: readonly KeyFile[], findings: KeystoreFinding[]): Promise<LoadedFile[]> {
  const loaded: LoadedFile[] = [];
  for (const file of files) {
    try {
      loaded.push({ file, content: await readFile(join(folder, file.path)) });
    } catch (error) {
      const message = `cannot be read: ${describeError(error)}`;
      findings.push({ code: 'KEYSTORE_PERMISSION', path: file.path, message });
    }
  }
  return loaded;
}

function isSoundKey({ purpose }: KeyFile, key: Buffer): boolean {
  if (purpose === 'storage-private' || purpose === 'poison-private') return isEcKey(key, 'private');
  if (isPublic(purpose)) return isEcKey(key, 'public');
  return key.length === SYMMETRIC_KEY_BYTES;
}

/** Path of the public half that stands beside a current private EC key. */
function publicHalf({ purpose, path, rotated }: KeyFile): string | undefined {
  const isPair = purpose === 'storage-private' || purpose === 'poison-private';
  return isPair && !rotated ? `${path}.pub` : undefined;
}

interface Opened {
  readonly openedKeys: number;
  readonly keyIds: readonly ClientKeyIds[];
  readonly findings: readonly KeystoreFinding[];
}

function pairFinding(themis: Themis, file: KeyFile, key: Buffer, loaded: readonly LoadedFile[]): KeystoreFinding[] {
  const path = publicHalf(file);
  if (path === undefined) return [];
  const half = loaded.find((each) => each.file.path === path);
  if (half === undefined)
    return [{ code: 'KEYSTORE_KEY_MISSING', path, message: 'the public half of a pair is missing' }];
  if (themis.isKeyPair(key, half.content)) return [];
  return [{ code: 'KEYSTORE_PAIR_MISMATCH', path, message: `does not belong to ${file.path}` }];
}

function openAll(themis: Themis, masterKey: Buffer, loaded: readonly LoadedFile[]): Opened {
  const findings: KeystoreFinding[] = [];
  const unopened: string[] = [];
  const known: KnownKey[] = [];
  let openedKeys = 0;
  for (const { file, content } of loaded) {
    const key = file.context === undefined ? content : themis.open(masterKey, content, file.context);
    if (key === undefined) {
      unopened.push(file.path);
      continue;
    }
    if (file.context !== undefined) openedKeys++;
    if (file.purpose === 'storage-symmetric') known.push({ file, id: keyId(key).toString('hex') });
    if (isSoundKey(file, key)) findings.push(...pairFinding(themis, file, key, loaded));
    else findings.push({ code: 'KEYSTORE_KEY_INVALID', path: file.path, message: 'holds no key of this kind' });
    if (file.context !== undefined) key.fill(0);
  }
  return { openedKeys, keyIds: idsOfAll(known), findings: [...unopenedFindings(unopened, openedKeys), ...findings] };
}

/** None opens: another keystore or another key. Some do: those that don't were damaged or swapped. */
function unopenedFindings(paths: readonly string[], openedKeys: number): KeystoreFinding[] {
  if (paths.length > 0 && openedKeys === 0) {
    return [{ code: 'KEYSTORE_FOREIGN', message: `none of ${paths.length} private files opens with this master key` }];
  }
  return paths.map((path) => {
    return { code: 'KEYSTORE_FILE_DAMAGED', path, message: 'does not open with this master key, though others do' };
  });
}

/**
 * Reads, recognises and opens every file. All else that a daemon demands: inspect.ts.
 * @throws KeystoreError KEYSTORE_MASTER_KEY_LENGTH; all else is in the report
 */
export async function checkKeystore(options: CheckKeystoreOptions): Promise<KeystoreReport> {
  requireMasterKeyLength(options.masterKey.length);
  const { files, findings: listed } = await listKeystore(options.folder);
  const findings = [...listed];
  const loaded = await load(options.folder, files, findings);
  const opened = useMasterKey(options.masterKey, (key) => openAll(themis, key, loaded));
  if (files.length > 0) findings.push(...missingFindings(options, files));
  return {
    folder: options.folder,
    openedKeys: opened.openedKeys,
    keyIds: opened.keyIds,
    clientIds: [...new Set(files.flatMap(({ clientId }) => clientId ?? []))].toSorted(),
    poisonKeys: poisonKeysIn(files),
    findings: [...opened.findings, ...findings],
  };
}
