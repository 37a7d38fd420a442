/**
 * The first set: a new master key, keys of all clients, and of each user of the database the secret that is given, or a password that nobody
 * knows. Whether there may be a ceremony is decided before (make-set.ts).
 */
import { loginOf, sealsSecrets } from '../../../config/user-secrets.ts';
import type { KeyAction } from '../../../keys/requests/key-request.ts';
import { openGiven } from './given-secrets.ts';
import { madePassword } from './made-password.ts';
import { type NewSecret, type Plan, type PlanDeps, refused } from './plan.ts';

/** @throws KeyError KEY_REQUEST_REFUSED, KEY_SECRET_UNSEALABLE, KEY_PASSWORD_INVALID, KEY_VERIFIER_INVALID */
export async function planCeremony(
  { clients, secrets }: Extract<KeyAction, { kind: 'ceremony' }>,
  deps: PlanDeps,
): Promise<Plan> {
  const given = await openGiven(secrets, deps);
  try {
    const made = await madeForOthers(given, deps);
    return {
      keystore: { kind: 'create', clientIds: [...new Set(clients)] },
      kept: [],
      sealed: [...given, ...made],
    };
  } catch (error) {
    for (const { plaintext } of given) plaintext.dispose();
    throw error;
  }
}

/** Of the users in enclave.yaml. @throws KeyError KEY_REQUEST_REFUSED */
async function madeForOthers(given: readonly NewSecret[], { config, random }: PlanDeps): Promise<NewSecret[]> {
  const login = loginOf(config.database);
  const others = config.database.users
    .map(({ name }) => name)
    .filter((name) => given.every(({ user }) => user !== name));
  if (!sealsSecrets(login) || others.length === 0) return [];
  if (login === 'verifier') {
    throw refused('a ceremony must give the verifier of each user of the database (database.login: verifier)', {
      found: `none of ${others.join(', ')}`,
    });
  }
  return Promise.all(others.map((user) => madePassword(user, 'secret', random)));
}
