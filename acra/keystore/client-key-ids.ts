/** Which ids are whose: those of each client's current key, and of the keys that it had before (acra-server contract 9.1). */
import type { KeyFile } from './layout.ts';

/** Ids in hex, 4 digits. */
export interface ClientKeyIds {
  readonly clientId: string;
  /** Of the key that encrypts; undefined: the client has none. */
  readonly current: string | undefined;
  /** Of keys that were rotated out, and that open what they encrypted; sorted. */
  readonly old: readonly string[];
}

/** A symmetric key that a block may name. */
export interface KnownKey {
  readonly file: KeyFile;
  readonly id: string;
}

export function idsOf(keys: readonly KnownKey[], clientId: string): ClientKeyIds {
  const own = keys.filter(({ file }) => file.clientId === clientId);
  const old = own.filter(({ file }) => file.rotated).map(({ id }) => id);
  return { clientId, current: own.find(({ file }) => !file.rotated)?.id, old: [...new Set(old)].toSorted() };
}

/** Of every client that has one, by client id. */
export function idsOfAll(keys: readonly KnownKey[]): readonly ClientKeyIds[] {
  const byClient = Map.groupBy(keys, ({ file }) => file.clientId);
  return [...byClient]
    .flatMap(([clientId, own]) => (clientId === undefined ? [] : idsOf(own, clientId)))
    .toSorted((one, other) => (one.clientId < other.clientId ? -1 : 1));
}
