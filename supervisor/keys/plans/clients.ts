/** Keys of clients: more of them, or new ones. */

import { describeKeyFile } from '../../../acra/keystore/layout.ts';
import { KeyError } from '../../../keys/errors.ts';
import { hasStructs } from '../../../keys/reencryption-proof.ts';
import { type Having, type Plan, type PlanDeps, refused } from './plan.ts';

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

/**
 * What is under the old keys is lost with them: operators ask for it when they have proved that nothing is (`data reencrypt --check`). Old
 * pairs stay where columns hold AcraStructs, which do not say which one they are for.
 * @throws KeyError KEY_REQUEST_REFUSED
 */
export function planForgetData(
  { clients }: { readonly clients: readonly string[] },
  having: Having,
  { tables }: Pick<PlanDeps, 'tables'>,
): Plan {
  const old = having.keystore.flatMap(({ path }) => describeKeyFile(path) ?? []).filter(({ rotated }) => rotated);
  const without = clients.filter((id) => old.every(({ clientId }) => clientId !== id));
  if (without.length > 0) throw refused('there are no old keys of this client', { found: without.join(', ') });
  const keystore = { kind: 'forget', clientIds: [...new Set(clients)], keepsPairs: hasStructs(tables) } as const;
  return { keystore, kept: having.secrets, sealed: [] };
}
