/** Keys of clients: more of them, or new ones. */

import { describeKeyFile } from '../../../acra/keystore/layout.ts';
import { KeyError } from '../../../keys/errors.ts';
import type { Having, Plan } from './plan.ts';

function clientsIn({ keystore }: Having): ReadonlySet<string> {
  return new Set(keystore.flatMap(({ path }) => describeKeyFile(path)?.clientId ?? []));
}

/** @throws KeyError KEY_CLIENT_EXISTS */
export function planAddClients({ clients }: { readonly clients: readonly string[] }, having: Having): Plan {
  const known = clients.filter((id) => clientsIn(having).has(id));
  if (known.length > 0) {
    throw new KeyError('KEY_CLIENT_EXISTS', 'there are keys of this client already', { found: known.join(', ') });
  }
  return { keystore: { kind: 'add', clientIds: [...new Set(clients)] }, kept: having.secrets, sealed: [] };
}

/** The process refuses clients that have no keys (acra/keystore/rotate.ts). */
export function planRotateData({ clients }: { readonly clients: readonly string[] }, having: Having): Plan {
  return { keystore: { kind: 'rotate', clientIds: [...new Set(clients)] }, kept: having.secrets, sealed: [] };
}
