/**
 * Rotates the data keys of clients in a measured folder, and forgets old ones. Both need the master key, as renewal does, and change the
 * keystore in one step: it is the old one or the new one, whenever a process or a machine ends.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { ClientKeyIds } from '../acra/keystore/client-key-ids.ts';
import { forgetKeys } from '../acra/keystore/forget.ts';
import { clientKeyIds } from '../acra/keystore/key-ids.ts';
import { rotateKeys } from '../acra/keystore/rotate.ts';
import type { Random } from '../runtime/random.ts';
import { KeyError } from './errors.ts';
import { openMasterKey, type RenewalOptions } from './renewal.ts';
import { replaceFolder } from './replace-folder.ts';

interface RotateDataKeysOptions extends RenewalOptions {
  readonly clientIds: readonly string[];
  readonly nowMs: number;
  readonly random: Random;
}

interface ForgetDataKeysOptions extends RenewalOptions {
  readonly clientIds: readonly string[];
  /** AcraStructs do not say which key pair they are for: these may still be needed. */
  readonly keepsPairs: boolean;
  /** Throws unless the old keys of these clients may go. */
  readonly requireProof: (ids: readonly ClientKeyIds[]) => void;
}

const keystoreOf = ({ folder, config }: RenewalOptions) => join(folder, config.acra.keystore);

/** Digests of its files, by their paths. */
function digestsBelow(folder: string): ReadonlyMap<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const files = entries.map(({ parentPath, name }) => join(parentPath, name));
  const digest = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');
  return new Map(files.map((file) => [relative(folder, file), digest(file)]));
}

/**
 * Every file that was in the keystore is in the new one, under whatever name: something else may have added keys since it was read.
 * @param forgotten paths of those that are not
 * @throws KeyError KEY_KEYSTORE_CHANGED
 */
function requireAllKept(replaced: string, made: string, forgotten: ReadonlySet<string>): void {
  const kept = new Set(digestsBelow(made).values());
  const lost = [...digestsBelow(replaced)].filter(([path, digest]) => !forgotten.has(path) && !kept.has(digest));
  if (lost.length === 0) return;
  const found = lost.map(([path]) => path).join(', ');
  throw new KeyError('KEY_KEYSTORE_CHANGED', `${made} was changed meanwhile`, { found });
}

/**
 * New keys for all of these clients, or for none.
 * @returns the ids of all clients' keys
 * @throws KeyError KEY_KEYSTORE_CHANGED, those of the master key's file; KeystoreError; SystemError SYSTEM_EXCHANGE; what `decrypt`
 * throws; the signal's reason
 */
export async function rotateDataKeys(options: RotateDataKeysOptions): Promise<readonly ClientKeyIds[]> {
  const { clientIds, nowMs, random, signal } = options;
  const keystore = keystoreOf(options);
  using masterKey = await openMasterKey(options);
  return await replaceFolder(
    keystore,
    async (newFolder) => {
      await rotateKeys({ folder: keystore, newFolder, masterKey, clientIds, nowMs, random });
      const ids = await clientKeyIds({ folder: newFolder, masterKey });
      signal.throwIfAborted();
      return ids;
    },
    (replaced) => requireAllKept(replaced, keystore, new Set()),
  );
}

/** @throws as `rotateDataKeys` */
export async function dataKeyIds(options: RenewalOptions): Promise<readonly ClientKeyIds[]> {
  using masterKey = await openMasterKey(options);
  return await clientKeyIds({ folder: keystoreOf(options), masterKey });
}

/**
 * Takes away the old keys of all of these clients, or of none.
 * @returns the files that are gone
 * @throws what `requireProof` throws; as `rotateDataKeys`
 */
export async function forgetDataKeys(options: ForgetDataKeysOptions): Promise<readonly string[]> {
  const { clientIds, keepsPairs, signal } = options;
  const keystore = keystoreOf(options);
  using masterKey = await openMasterKey(options);
  options.requireProof(await clientKeyIds({ folder: keystore, masterKey, clientIds }));
  return await replaceFolder(
    keystore,
    async (newFolder) => {
      const forgotten = await forgetKeys({ folder: keystore, newFolder, masterKey, clientIds, keepsPairs });
      signal.throwIfAborted();
      return forgotten;
    },
    (replaced, forgotten) => requireAllKept(replaced, keystore, new Set(forgotten)),
  );
}
