/**
 * Secrets of users of the database. The enclave may have two of a user and uses whichever the database takes, so that a change costs no
 * session: `rotate-database` makes the second, the database is told, `settle-database` drops the first.
 */
import { loginOf } from '../../../config/user-secrets.ts';
import type { KeyAction } from '../../../keys/requests/key-request.ts';
import { type SetSecret, secretsOf } from '../set-files.ts';
import { openGiven } from './given-secrets.ts';
import { madePassword } from './made-password.ts';
import { type Having, type Plan, type PlanDeps, refused } from './plan.ts';

const KEPT = { kind: 'keep' } as const;

function othersThan(users: readonly string[], { secrets }: Having): SetSecret[] {
  return secrets.filter(({ user }) => !users.includes(user));
}

/** @throws KeyError KEY_REQUEST_REFUSED */
export async function planRotateDatabase(
  { user }: { readonly user: string },
  having: Having,
  { config, random }: PlanDeps,
): Promise<Plan> {
  const login = loginOf(config.database);
  if (login !== 'certificate') {
    throw refused('the enclave makes passwords only where it logs in with them', {
      found: `database.login: ${login}`,
      allowed: 'certificate; seal verifiers instead',
    });
  }
  const there = secretsOf(having, user);
  if (there.length > 1) {
    throw refused(`there are two passwords of ${user} already`, {
      allowed: `one: settle the change before (\`acra-enclave keys settle ${user}\`)`,
    });
  }
  const made = await madePassword(user, there.length === 0 ? 'secret' : 'nextSecret', random);
  return { keystore: KEPT, kept: having.secrets, sealed: [made] };
}

/** @throws KeyError KEY_REQUEST_REFUSED */
export function planSettleDatabase({ user }: { readonly user: string }, having: Having): Plan {
  const [, newer] = secretsOf(having, user);
  if (newer === undefined) throw refused(`there are no two secrets of ${user}, of which one could go`);
  return { keystore: KEPT, kept: [...othersThan([user], having), { ...newer, slot: 'secret' }], sealed: [] };
}

/** @throws KeyError KEY_REQUEST_REFUSED, KEY_SECRET_UNSEALABLE, KEY_PASSWORD_INVALID, KEY_VERIFIER_INVALID */
export async function planSeal(
  { secrets }: Extract<KeyAction, { kind: 'seal' }>,
  having: Having,
  deps: PlanDeps,
): Promise<Plan> {
  const sealed = await openGiven(secrets, deps);
  const users = sealed.map(({ user }) => user);
  return { keystore: KEPT, kept: othersThan(users, having), sealed };
}
