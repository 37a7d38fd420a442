/**
 * Takes a key set: judges it, has its data key opened, writes its keystore into memory and opens everything in it. It is all there and fit to
 * serve with, or nothing of it stays. The same at boot and at run time. Specification: docs/specs/key-sets.md, 4.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { KeystoreError } from '../../acra/errors.ts';
import { POISON_FILES } from '../../acra/keystore/layout.ts';
import type { NsmProvider } from '../../attestation/nsm/provider.ts';
import type { EnclaveConfig } from '../../config/enclave.ts';
import { parentKeysOf } from '../../config/keys.ts';
import { loginOf, sealsSecrets } from '../../config/user-secrets.ts';
import { clientsOfUsers } from '../../keys/database-clients.ts';
import { KeyError } from '../../keys/errors.ts';
import type { KeyKeeper } from '../../keys/keepers/keeper.ts';
import { keyIdsDocument } from '../../keys/key-ids-file.ts';
import { clientsOf } from '../../keys/set/clients.ts';
import type { KeySet } from '../../keys/set/key-set.ts';
import { openMasterKey } from '../../keys/set/master-key.ts';
import type { Logger } from '../../runtime/log.ts';
import type { Random } from '../../runtime/random.ts';
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { type Brought, type JudgedSet, judgeKeySet, ownRoot, type PlaceOfSet } from './judge-set.ts';
import type { EnclaveKeys } from './keys-in-use.ts';
import { openKeys, type SealedSecret } from './open-keys.ts';
import { secretsOf, writeSetKeystore, writeSetSecrets } from './set-files.ts';

export interface KeySetDeps {
  readonly config: EnclaveConfig;
  readonly pathOf: (file: string) => string;
  readonly nsm: Pick<NsmProvider, 'attest'>;
  /** PCR0 of this enclave, lower-case hex. */
  readonly image: string;
  /** In memory; sets are written below it. */
  readonly folder: string;
  readonly random: Random;
  readonly logger: Logger;
}

/** A set that was opened, with all that is in it. */
export interface OpenedSet extends JudgedSet {
  readonly keys: EnclaveKeys;
  /** Zeroes and removes everything. */
  dispose(): Promise<void>;
}

export interface TakenKeys extends OpenedSet {
  /** By the monotonic clock, when its keeper was asked for it. */
  readonly askedMs: number;
}

/** @param follows the set in use; undefined at boot @param open of the keeper, with the patience of the caller
 * @throws KeyError; KmsError of `open`; KeystoreError; the signal's reason */
export async function takeKeySet(
  brought: Brought,
  follows: PlaceOfSet | undefined,
  open: KeyKeeper['open'],
  deps: KeySetDeps,
  signal: AbortSignal,
): Promise<OpenedSet> {
  const { config, nsm, random, image } = deps;
  const { madeIn = [], pin = 'none' } = parentKeysOf(config) ?? {};
  const rootDer = await ownRoot(nsm, random);
  const images = [image, ...madeIn];
  const judged = judgeKeySet(brought, { name: config.name, pin, images, rootDer, follows });
  const masterKey = await openSet(judged.set, open, signal);
  const folder = await mkdtemp(join(deps.folder, `generation-${judged.set.generation}-`));
  const forget = async () => {
    masterKey.dispose();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const { dispose, keyIds, ...keys } = await openParts(judged.set, masterKey, folder, deps, signal);
    requireKeyIds(judged.set, keyIds, dispose);
    for (const client of clientsIn(judged.set, config).keyless)
      deps.logger.log('warn', 'keys.client-keyless', { client });
    return {
      ...judged,
      keys: { masterKey, ...keys },
      dispose: async () => {
        dispose();
        await forget();
      },
    };
  } catch (error) {
    await forget();
    throw error;
  }
}

/** What operators prove by them, and forget upon, is to be true of the keys. @throws KeyError KEY_SET_INVALID, and `dispose` is called */
function requireKeyIds(set: KeySet, keyIds: KeySet['keyIds'], dispose: () => void): void {
  if (isDeepStrictEqual(set.keyIds, keyIds)) return;
  dispose();
  throw new KeyError('KEY_SET_INVALID', 'the key set names other ids of keys than its keystore has');
}

/** The master key of a set. @throws KeyError KEY_SET_OTHER_KEEPER, KEY_SET_UNSEALABLE; those of `open` */
export async function openSet(set: KeySet, open: KeyKeeper['open'], signal: AbortSignal): Promise<SecretBuffer> {
  using dataKey = await open(set, signal);
  return openMasterKey(set, dataKey);
}

interface Parts extends Pick<EnclaveKeys, 'mockKey' | 'keystoreFolder' | 'databaseSecrets' | 'keyClients'> {
  /** As a set names them. */
  readonly keyIds: KeySet['keyIds'];
  dispose(): void;
}

/**
 * @param folder exists, and is the caller's to remove
 * @throws KeyError KEY_SET_INVALID; KeystoreError
 */
export async function openParts(
  set: Pick<KeySet, 'keystore' | 'secrets'>,
  masterKey: SecretBuffer,
  folder: string,
  deps: Pick<KeySetDeps, 'config' | 'pathOf' | 'logger'>,
  signal: AbortSignal,
): Promise<Parts> {
  const keystoreFolder = join(folder, 'keystore');
  await writeSetKeystore(keystoreFolder, set.keystore);
  const secrets = await writeSecretsOfUsers(set, folder, deps.config);
  const { clientNames } = clientsIn(set, deps.config);
  const opened = await openKeys({
    ...deps,
    keystoreFolder,
    masterKey,
    clientNames,
    secrets,
    others: filesOfMockKey(set, keystoreFolder),
    signal,
  });
  const { databaseSecrets, keyClients, dispose } = opened;
  const [mockKey = masterKey] = opened.others;
  try {
    for (const { file } of secrets) await rm(file);
    const keyIds = [...keyIdsDocument(opened.keyIds).clients];
    return { mockKey, keystoreFolder, databaseSecrets, keyClients, keyIds, dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** That of poison records: the ceremony makes it, and no change makes another. */
function filesOfMockKey({ keystore }: Pick<KeySet, 'keystore'>, keystoreFolder: string) {
  const { path, context = path } = POISON_FILES.symmetric;
  return keystore.some((file) => file.path === path) ? [{ file: join(keystoreFolder, path), context }] : [];
}

/**
 * A client that enclave.yaml lets be a user of the database may get its keys later, by a change of the set: it is not served until then. Where
 * none of them has keys all are demanded.
 */
function clientsIn(set: Pick<KeySet, 'keystore'>, config: EnclaveConfig) {
  const named = clientsOfUsers(config);
  const having = new Set(clientsOf(set));
  const clientNames = new Map([...named].filter(([id]) => having.has(id)));
  const keyless = [...named].filter(([id]) => !having.has(id)).map(([, name]) => name);
  return clientNames.size === 0 ? { clientNames: named, keyless: [] } : { clientNames, keyless };
}

/** Of those whom enclave.yaml names: the set may have others, of a configuration that was or comes. @throws KeystoreError KEYSTORE_SEALED_FILE */
async function writeSecretsOfUsers(
  set: Pick<KeySet, 'secrets'>,
  folder: string,
  { database }: EnclaveConfig,
): Promise<SealedSecret[]> {
  if (!sealsSecrets(loginOf(database))) return [];
  const missing = database.users.map(({ name }) => name).filter((name) => secretsOf(set, name).length === 0);
  if (missing.length === 0)
    return await writeSetSecrets(
      folder,
      database.users.flatMap(({ name }) => secretsOf(set, name)),
    );
  throw new KeystoreError('KEYSTORE_SEALED_FILE', 'the key set has no secret of users that enclave.yaml names', {
    found: missing.join(', '),
    action:
      'Ask the enclave that still has the users of before for them (`acra-enclave keys seal`, or `keys rotate database`), then start this one with the key set that it makes.',
  });
}
