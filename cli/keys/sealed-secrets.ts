/** Passwords or verifiers that operators give, encrypted to the enclave one by one. */
import type { DatabaseSecret } from '../../keys/database-secrets.ts';
import type { SealedSecret } from '../../keys/requests/key-request.ts';
import type { Seal } from './make-request.ts';

/** @throws KeyError KEY_SECRET_UNSEALABLE */
export async function sealEach(secrets: readonly DatabaseSecret[], seal: Seal): Promise<SealedSecret[]> {
  const sealed: SealedSecret[] = [];
  for (const { user, secret } of secrets) sealed.push(await seal(user, secret));
  return sealed;
}
