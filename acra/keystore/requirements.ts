/** Which keys an encryptor configuration needs (acra-server contract 2.3). */
import type { EncryptedColumn, EncryptorConfig } from '../encryptor-config/schema.ts';
import type { KeyFile, KeyPurpose } from './layout.ts';
import type { KeystoreFinding, KeystoreReport } from './report.ts';

export interface NeededKeys {
  /** Clients that will connect; without any, at least one client must have what the configuration needs. */
  readonly clientIds?: readonly string[];
  /** What people call clients, by their ids; one without a name is called by its id. */
  readonly clientNames?: ReadonlyMap<string, string>;
  /** Without it, only that the keys present are sound. */
  readonly encryptorConfig?: EncryptorConfig;
  /** Whether poison records will be detected, which acra-server skips silently when it lacks the keys. */
  readonly poisonDetection?: boolean;
}

interface MissingKey {
  /** Undefined when no client at all has the keys that columns without an owner need. */
  readonly clientId: string | undefined;
  readonly purposes: readonly KeyPurpose[];
}

function purposesOf(column: EncryptedColumn): KeyPurpose[] {
  const envelope: KeyPurpose[] =
    column.envelope === 'acrablock' ? ['storage-symmetric'] : ['storage-private', 'storage-public'];
  return column.searchable ? [...envelope, 'search-hmac'] : envelope;
}

function currentKeys(files: readonly KeyFile[]): ReadonlyMap<string, ReadonlySet<KeyPurpose>> {
  const current = files.filter((file) => !file.rotated && file.clientId !== undefined);
  const byClient = Map.groupBy(current, (file) => file.clientId ?? '');
  return new Map([...byClient].map(([id, own]) => [id, new Set(own.map(({ purpose }) => purpose))]));
}

/**
 * Keys that are not there. Columns with an owner need that client's keys; the others need the keys of every client in
 * `clientIds` or, when none is named, of at least one client.
 */
function missingKeys(config: EncryptorConfig, clientIds: readonly string[], files: readonly KeyFile[]): MissingKey[] {
  const present = currentKeys(files);
  const columns = [...config.tables.values()].flatMap((table) => [...table.encrypted.values()]);
  const needed = new Set(columns.filter(({ clientId }) => clientId === undefined).flatMap(purposesOf));
  const byOwner = new Map<string, Set<KeyPurpose>>(clientIds.map((id) => [id, new Set(needed)]));
  for (const column of columns) {
    if (column.clientId === undefined) continue;
    const own = byOwner.get(column.clientId) ?? new Set();
    byOwner.set(column.clientId, new Set([...own, ...purposesOf(column)]));
  }
  const missing = [...byOwner].map(([clientId, purposes]): MissingKey => {
    return { clientId, purposes: [...purposes].filter((purpose) => !present.get(clientId)?.has(purpose)) };
  });
  const anybody = clientIds.length > 0 || [...present.values()].some((keys) => needed.isSubsetOf(keys));
  if (!anybody && needed.size > 0) missing.push({ clientId: undefined, purposes: [...needed] });
  return missing.filter(({ purposes }) => purposes.length > 0);
}

/** For one of them acra-server would have an empty keystore, with which it starts under any master key. */
function keylessClients(clientIds: readonly string[], files: readonly KeyFile[]): string[] {
  const present = currentKeys(files);
  return clientIds.filter((id) => !present.has(id));
}

export function poisonKeysIn(files: readonly KeyFile[]): KeystoreReport['poisonKeys'] {
  const kinds = ['poison-symmetric', 'poison-private'] as const;
  return kinds.filter((kind) => files.some(({ purpose, rotated }) => purpose === kind && !rotated));
}

/** What the keys in `files` lack of what will be needed of them. */
export function missingFindings(options: NeededKeys, files: readonly KeyFile[]): KeystoreFinding[] {
  const { encryptorConfig, clientIds = [], clientNames, poisonDetection = false } = options;
  const clientCalled = (id: string) => `client ${clientNames?.get(id) ?? id}`;
  const keyless = keylessClients(clientIds, files);
  const missing = encryptorConfig === undefined ? [] : missingKeys(encryptorConfig, clientIds, files);
  const findings = keyless.map((id): KeystoreFinding => {
    return { code: 'KEYSTORE_KEY_MISSING', message: `${clientCalled(id)} has no keys` };
  });
  for (const { clientId, purposes } of missing) {
    if (clientId !== undefined && keyless.includes(clientId)) continue;
    const owner =
      clientId === undefined ? 'no client has all keys that its columns need' : `${clientCalled(clientId)} lacks`;
    findings.push({ code: 'KEYSTORE_KEY_MISSING', message: `${owner}: ${purposes.join(', ')}` });
  }
  if (poisonDetection && poisonKeysIn(files).length < 2) {
    findings.push({ code: 'KEYSTORE_KEY_MISSING', message: 'poison detection needs both kinds of poison keys' });
  }
  return findings;
}
