/**
 * The secrets by which this guard lets clients log in, and how they are exchanged: a login goes on by those that it began with, the next one
 * has the new ones, and the old ones are zeroed when no login uses them any more. Sessions have nothing to do with them.
 */
import type { Access, OpenAccess } from './access.ts';

/** Ways to log in, and the secrets that they need. */
export interface AccessSecrets extends Disposable {
  readonly open: OpenAccess;
}

class Counted {
  readonly #secrets: AccessSecrets;
  #underWay = 0;
  #isOver = false;

  constructor(secrets: AccessSecrets) {
    this.#secrets = secrets;
  }

  async open(...login: Parameters<OpenAccess>): Promise<Access> {
    this.#underWay += 1;
    let isUnderWay = true;
    const left = () => {
      if (isUnderWay) this.#underWay -= 1;
      isUnderWay = false;
      this.#disposeIfUnused();
    };
    try {
      const access = await this.#secrets.open(...login);
      return {
        ...access,
        [Symbol.dispose]: () => {
          access[Symbol.dispose]();
          left();
        },
      };
    } catch (error) {
      left();
      throw error;
    }
  }

  /** No login begins with them any more. */
  retire(): void {
    this.#isOver = true;
    this.#disposeIfUnused();
  }

  #disposeIfUnused(): void {
    if (this.#isOver && this.#underWay === 0) this.#secrets[Symbol.dispose]();
  }
}

export class AccessInUse {
  #current: Counted;

  constructor(first: AccessSecrets) {
    this.#current = new Counted(first);
  }

  readonly open: OpenAccess = (...login) => this.#current.open(...login);

  /** For coming logins. */
  change(next: AccessSecrets): void {
    this.#current.retire();
    this.#current = new Counted(next);
  }
}
