/** What a change makes of a key set, as data: which keystore, which secrets stay and which are sealed. Nothing is touched by a plan. */
import type { EncryptorConfig } from '../../../acra/encryptor-config/schema.ts';
import type { EnclaveConfig } from '../../../config/enclave.ts';
import { KeyError } from '../../../keys/errors.ts';
import type { SealedSecret } from '../../../keys/requests/key-request.ts';
import type { KeySet } from '../../../keys/set/key-set.ts';
import type { Random } from '../../../runtime/random.ts';
import type { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import type { SetSecret } from '../set-files.ts';

export type KeystorePlan =
  | { readonly kind: 'keep' }
  /** Under a new master key, with keys of poison records. */
  | { readonly kind: 'create'; readonly clientIds: readonly string[] }
  | { readonly kind: 'add'; readonly clientIds: readonly string[] }
  | { readonly kind: 'rotate'; readonly clientIds: readonly string[] }
  | { readonly kind: 'forget'; readonly clientIds: readonly string[]; readonly keepsPairs: boolean }
  /** All that there is, under a new master key. */
  | { readonly kind: 'rewrap' };

export interface NewSecret extends Pick<SetSecret, 'user' | 'slot' | 'verifier'> {
  /** Whoever carries the plan out disposes of it. */
  readonly plaintext: SecretBuffer;
}

export interface Plan {
  readonly keystore: KeystorePlan;
  /** Sealed already. */
  readonly kept: readonly SetSecret[];
  readonly sealed: readonly NewSecret[];
}

/** What plans are made with. */
export interface PlanDeps {
  readonly config: EnclaveConfig;
  readonly tables: EncryptorConfig['tables'];
  readonly random: Random;
  /** Opens a secret of the request in hand. @throws KeyError KEY_SECRET_UNSEALABLE */
  readonly open: (secret: SealedSecret) => Promise<SecretBuffer>;
}

/** The set in use. */
export type Having = Pick<KeySet, 'keystore' | 'secrets'>;

export function refused(
  message: string,
  details: { readonly found?: string; readonly allowed?: string } = {},
): KeyError {
  return new KeyError('KEY_REQUEST_REFUSED', message, details);
}
