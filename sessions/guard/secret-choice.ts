/**
 * The one or two secrets of a user of the database, of which the database has one. Which it is may change at any time; the one that it
 * took last is tried first.
 */
import { SECRET_SETTINGS, type SecretSetting } from '../../config/user-secrets.ts';

export class SecretChoice<Secret> {
  readonly #all: readonly Secret[];
  readonly #onChange: (setting: SecretSetting) => void;
  #last = 0;

  /** @param all in the order of enclave.yaml @param onChange told what the database takes now, where it took the other before */
  constructor(all: readonly Secret[], onChange: (setting: SecretSetting) => void) {
    this.#all = all;
    this.#onChange = onChange;
  }

  get inOrder(): readonly Secret[] {
    const last = this.#all.slice(this.#last, this.#last + 1);
    return [...last, ...this.#all.filter((_, index) => index !== this.#last)];
  }

  worked(secret: Secret): void {
    const index = this.#all.indexOf(secret);
    if (index === this.#last) return;
    this.#last = index;
    const setting = SECRET_SETTINGS[index];
    if (setting) this.#onChange(setting);
  }
}
