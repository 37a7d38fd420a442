/** Which keys an encryptor configuration needs (acra-server contract 2.3). */
import type { EncryptedColumn, EncryptorConfig } from '../encryptor-config/schema.ts';
import type { KeyFile, KeyPurpose } from './layout.ts';

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
export function missingKeys(
  config: EncryptorConfig,
  clientIds: readonly string[],
  files: readonly KeyFile[],
): MissingKey[] {
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
