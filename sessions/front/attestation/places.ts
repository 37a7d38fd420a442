/**
 * Room for connections for attestation. Whoever the front waits for has no right to stay: when all places are taken, the one that has
 * waited longest goes, of the address that has most of them, the newcomer with them. Whoever waits for the enclave stays, since it may be slow.
 *
 *   entered ──request──▶ asked ──answer──▶ answered
 *      └─── may be evicted ┄┄┄┄ may not ┄┄┄┄┄┄ may ─┘
 */
import { OldestFirst } from '../../../runtime/oldest-first.ts';

/** One connection. */
export interface AttestationPlace {
  /** It was ended to make room. */
  readonly isEvicted: boolean;
  /** Its request is with the enclave. */
  asked(): void;
  /** It may take its answer. */
  answered(): void;
  /** Idempotent. */
  leave(): void;
}

interface Held {
  readonly address: string | undefined;
  readonly evict: () => void;
  isEvicted: boolean;
}

export class AttestationPlaces {
  readonly #max: number;
  readonly #all = new Set<Held>();
  /** Of these, those that the front waits for. */
  readonly #waiting = new OldestFirst<Held>();

  constructor(max: number) {
    this.#max = max;
  }

  get count(): number {
    return this.#all.size;
  }

  /** @param evict ends the connection. @returns undefined where everybody's request is with the enclave */
  enter(address: string | undefined, evict: () => void): AttestationPlace | undefined {
    if (this.#all.size >= this.#max && !this.#makeRoomFor(address)) return undefined;
    const held: Held = { address, evict, isEvicted: false };
    this.#all.add(held);
    this.#waiting.add(held, address);
    return {
      get isEvicted() {
        return held.isEvicted;
      },
      asked: () => void this.#waiting.delete(held),
      answered: () => {
        if (this.#all.has(held)) this.#waiting.add(held, address);
      },
      leave: () => this.#leave(held),
    };
  }

  /** Of an address that has more of them than the newcomer's, else of its own. */
  #makeRoomFor(address: string | undefined): boolean {
    const oldest = this.#waiting.oldestOf(this.#waiting.busiestWith(address));
    if (!oldest) return false;
    oldest.isEvicted = true;
    this.#leave(oldest);
    oldest.evict();
    return true;
  }

  #leave(held: Held): void {
    this.#all.delete(held);
    this.#waiting.delete(held);
  }
}
