/** Which user numbers the children of this machine have: each its own, none twice at a time. */
import { ACRA_SERVER_ID } from '../../wire/image-layout.ts';
import { SupervisorError } from '../errors.ts';

/** One child in an enclave for each client identity, and room. */
const MAX_CHILDREN = 10_000;

export class UserNumbers {
  readonly #taken = new Map<string, number>();

  /**
   * The lowest that is free. The first is the one that owns the keystore in the image.
   * @throws SupervisorError CHILD_CONFINEMENT_TAKEN for a name that has one, or when there is none left
   */
  take(name: string): number {
    const taken = new Set(this.#taken.values());
    const free = Array.from({ length: taken.size + 1 }, (_, index) => ACRA_SERVER_ID + index).find(
      (id) => !taken.has(id),
    );
    if (this.#taken.has(name) || free === undefined || taken.size >= MAX_CHILDREN) {
      throw new SupervisorError('CHILD_CONFINEMENT_TAKEN', 'two children cannot share one confinement', {
        found: name,
      });
    }
    this.#taken.set(name, free);
    return free;
  }

  giveBack(name: string): void {
    this.#taken.delete(name);
  }
}
