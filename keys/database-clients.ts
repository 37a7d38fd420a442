/** The clients that enclave.yaml lets be users of the database, by the ids under which acra-server keeps their keys. */
import { clientIdFromName } from '../acra/client-id.ts';
import type { EnclaveConfig } from '../config/enclave.ts';

/** @returns client ids, each with what people call it: the name in enclave.yaml and the users that it may be */
export function clientsOfUsers({
  acra,
  database,
}: Pick<EnclaveConfig, 'acra' | 'database'>): ReadonlyMap<string, string> {
  const pairs = database.users.flatMap(({ name, clients }) => clients.map((client) => ({ client, user: name })));
  const byClient = Map.groupBy(pairs, ({ client }) => client);
  return new Map(
    [...byClient].map(([client, same]) => {
      const users = same.map(({ user }) => user).join(', ');
      return [clientIdFromName(client, acra.clientIdFrom), `"${client}" (database user ${users})`];
    }),
  );
}
