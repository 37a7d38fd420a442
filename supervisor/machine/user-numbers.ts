/** Which user numbers the children of this machine have: each its own, none twice at a time. */
import { ACRA_SERVER_ID } from '../../wire/image-layout.ts';
import { SupervisorError } from '../errors.ts';
import type { ChildKind } from '../platform.ts';

/**
 * Programs of ours, of which one holds the key of TLS, have numbers that no program of an application can have (config/app/programs.ts):
 * whoever has the user of a process may end it, and goes by its /proc/PID/root to where it is.
 */
const FIRST = { 'acra-server': ACRA_SERVER_ID, session: 100_000 } as const;

/** One child in an enclave for each client identity, and room. */
const MAX_CHILDREN = 10_000;

export class UserNumbers {
  readonly #taken = new Map<string, number>();

  /**
   * The lowest that is free. The first of acra-server's is the one that owns the keystore in the image; a program of ours never has it.
   * @throws SupervisorError CHILD_CONFINEMENT_TAKEN for a name that has one, or when there is none left
   */
  take(name: string, kind: ChildKind = 'acra-server'): number {
    const taken = new Set(this.#taken.values());
    const first = FIRST[kind];
    const free = Array.from({ length: taken.size + 1 }, (_, index) => first + index).find((id) => !taken.has(id));
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
