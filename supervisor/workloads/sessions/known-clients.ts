/** Which clients may come with which keys, and whom each may be in the database. */
import { clientIdFromName } from '../../../acra/client-id.ts';
import type { EnclaveConfig } from '../../../config/enclave.ts';
import { loginOf, sealsSecrets } from '../../../config/user-secrets.ts';
import type { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import type { EnclaveKeys } from '../../keys/keys-in-use.ts';

export interface IdentityUser {
  readonly name: string;
  readonly databases: readonly string[];
  /** One or two; none where none is sealed. */
  readonly secrets: readonly SecretBuffer[];
}

type ConfiguredUser = Omit<IdentityUser, 'secrets'>;

/** By client ids, those who may come. */
export type KnownClients = ReadonlyMap<string, readonly IdentityUser[]>;

type Settings = Pick<EnclaveConfig, 'database' | 'acra'>;

/** A name is hashed once: there may be thousands, and nobody waits for them later. */
function usersByClient({ database, acra }: Settings): ReadonlyMap<string, readonly ConfiguredUser[]> {
  const pairs = database.users.flatMap(({ name, clients, databases }) =>
    clients.map((client) => ({
      clientId: clientIdFromName(client, acra.clientIdFrom),
      user: { name, databases },
    })),
  );
  const byClient = Map.groupBy(pairs, ({ clientId }) => clientId);
  return new Map([...byClient].map(([clientId, own]) => [clientId, own.map(({ user }) => user)]));
}

/** @returns for any keys, those who have some; with `login: client` all of them, else those with a user of the database */
export function clientsKnownBy(config: Settings): (keys: EnclaveKeys) => KnownClients {
  const configured = usersByClient(config);
  const login = loginOf(config.database);
  const isAnybody = login === 'client';
  return ({ keyClients, databaseSecrets }) => {
    const usersOf = (clientId: string): readonly IdentityUser[] =>
      (configured.get(clientId) ?? []).flatMap((user) => {
        const secrets = sealsSecrets(login) ? databaseSecrets.get(user.name) : [];
        return secrets ? [{ ...user, secrets }] : [];
      });
    const clients = keyClients.map((clientId) => [clientId, usersOf(clientId)] as const);
    return new Map(clients.filter(([, users]) => isAnybody || users.length > 0));
  };
}
