/** What one identity has of the keys in use: for its acra-server master key and keystore, for its guard the secrets of logins. */
import type { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import type { ServeGuard } from '../../../sessions/messages.ts';
import type { Confinement } from '../../../system/processes/confinement.ts';
import type { EnclaveKeys } from '../../keys/keys-in-use.ts';
import type { IdentityUser } from './known-clients.ts';
import { mockSecretOf } from './mock-secret.ts';
import { copyOwnKeystore, ownKeyFiles } from './own-keystore.ts';

export interface KeyOwner {
  readonly clientId: string;
  /** Whose keys it needs besides. */
  readonly columnClients: readonly string[];
  /** Whom it may be in the database. */
  readonly users: readonly IdentityUser[];
}

export class OwnKeys implements Disposable {
  readonly #keys: EnclaveKeys;
  readonly #users: readonly IdentityUser[];
  readonly #files: readonly string[];
  readonly #mockSecret: SecretBuffer;

  private constructor(keys: EnclaveKeys, { clientId, users }: KeyOwner, files: readonly string[]) {
    this.#keys = keys;
    this.#users = users;
    this.#files = files;
    this.#mockSecret = mockSecretOf(clientId, keys.mockKey);
  }

  /** @param owner with the users that these keys have secrets for */
  static async of(keys: EnclaveKeys, owner: KeyOwner): Promise<OwnKeys> {
    const clientIds = new Set([owner.clientId, ...owner.columnClients]);
    return new OwnKeys(keys, owner, await ownKeyFiles(keys.keystoreFolder, clientIds));
  }

  get masterKey(): SecretBuffer {
    return this.#keys.masterKey;
  }

  /** As ServeGuard has them. */
  get users(): ServeGuard['users'] {
    return this.#users.map(({ name, databases, secrets }) => ({ name, databases, secrets: secrets.length }));
  }

  /** In the order in which ServeGuard has them. */
  get secrets(): readonly SecretBuffer[] {
    return [this.#mockSecret, ...this.#users.flatMap(({ secrets }) => secrets)];
  }

  copyKeystore(home: Pick<Confinement, 'folder' | 'user'>): void {
    copyOwnKeystore(home, this.#keys.keystoreFolder, this.#files);
  }

  /** What it has made itself; the keys are somebody else's. */
  [Symbol.dispose](): void {
    this.#mockSecret.dispose();
  }
}
