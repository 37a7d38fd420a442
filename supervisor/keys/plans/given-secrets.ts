/** Secrets that operators send, each encrypted to this boot (keys/requests/sealed-secret.ts): opened, of the form that the login takes, or refused. */
import { loginOf, SECRET_SETTINGS, sealsSecrets } from '../../../config/user-secrets.ts';
import { KeyError } from '../../../keys/errors.ts';
import type { SealedSecret } from '../../../keys/requests/key-request.ts';
import { secretFormOf } from '../../../keys/secret-form.ts';
import { type NewSecret, type PlanDeps, refused } from './plan.ts';

/** The first that is given of a user is tried first. @throws KeyError KEY_REQUEST_REFUSED */
function slotsOf(secrets: readonly SealedSecret[]) {
  return [...Map.groupBy(secrets, ({ user }) => user)].flatMap(([user, own]) =>
    own.map((secret, index) => {
      const slot = SECRET_SETTINGS[index];
      if (slot !== undefined) return { user, slot, secret };
      throw refused(`more secrets of ${user} were given than a user can have`, {
        found: String(own.length),
        allowed: String(SECRET_SETTINGS.length),
      });
    }),
  );
}

/** @throws KeyError KEY_REQUEST_REFUSED, KEY_SECRET_UNSEALABLE, KEY_PASSWORD_INVALID, KEY_VERIFIER_INVALID. Nothing stays open then */
export async function openGiven(
  secrets: readonly SealedSecret[],
  { config, open }: Pick<PlanDeps, 'config' | 'open'>,
): Promise<NewSecret[]> {
  const login = loginOf(config.database);
  if (!sealsSecrets(login) && secrets.length > 0) {
    throw refused('this enclave has no secrets of users of the database', { found: `database.login: ${login}` });
  }
  const { what, allowed, code, fault } = secretFormOf(login);
  using opened = new DisposableStack();
  const given: NewSecret[] = [];
  for (const { user, slot, secret } of slotsOf(secrets)) {
    const plaintext = opened.use(await open(secret));
    const found = plaintext.use(fault);
    if (found !== undefined) throw new KeyError(code, `what was given is no ${what} of ${user}`, { found, allowed });
    given.push({ user, slot, plaintext, verifier: null });
  }
  opened.move();
  return given;
}
