/**
 * Room for connections. One that has shown no certificate yet has no right to stay: when too many of these wait, the oldest goes that
 * has said nothing, else the oldest; where one address has too many connections, one of its own. A session has its place until it
 * ends, and takes none from another identity.
 *
 *   silent ──first byte──▶ speaking ──certificate──▶ session
 *      └────────────────────────┴── evicted when another comes and all places are taken
 */
import type { FrontLimits } from './limits.ts';
import { Refused } from './refused.ts';

/** One connection. */
export interface Place {
  /** It was ended to make room. */
  readonly isEvicted: boolean;
  /** From where it comes, as limits by address count (wire/networks.ts). @throws Refused 53300; 08006 after it has left */
  comesFrom(address: string): void;
  /** It has said something. */
  speaks(): void;
  /** It has shown whose it is. @throws Refused 53300; 08006 after it has left */
  admit(clientId: string): void;
  /** Idempotent. */
  leave(): void;
}

type PlaceLimits = Pick<
  FrontLimits,
  'maxPending' | 'maxSessions' | 'maxSessionsPerClient' | 'maxConnectionsPerAddress'
>;

interface Held {
  readonly evict: () => void;
  isEvicted: boolean;
  hasLeft: boolean;
  address?: string;
  clientId?: string;
}

export class Places {
  readonly #limits: PlaceLimits;
  readonly #silent = new Set<Held>();
  readonly #speaking = new Set<Held>();
  /** All that are held, sessions too. */
  readonly #byAddress = new Map<string, Set<Held>>();
  /** Sessions by identity. */
  readonly #sessions = new Map<string, number>();
  #sessionCount = 0;
  #evictedCount = 0;

  constructor(limits: PlaceLimits) {
    this.#limits = limits;
  }

  get sessionCount(): number {
    return this.#sessionCount;
  }

  get pendingCount(): number {
    return this.#silent.size + this.#speaking.size;
  }

  /** Since the start. */
  get evictedCount(): number {
    return this.#evictedCount;
  }

  /** @param evict ends the connection */
  enter(evict: () => void): Place {
    if (this.pendingCount >= this.#limits.maxPending) this.#evict(this.#oldestPending());
    const held: Held = { evict, isEvicted: false, hasLeft: false };
    this.#silent.add(held);
    return {
      get isEvicted() {
        return held.isEvicted;
      },
      comesFrom: (address) => this.#place(held, address),
      speaks: () => {
        if (this.#silent.delete(held)) this.#speaking.add(held);
      },
      admit: (clientId) => {
        requireHere(held);
        this.#leavePending(held);
        this.#admit(clientId);
        held.clientId = clientId;
      },
      leave: () => this.#leave(held),
    };
  }

  /** The connections of an address in the order in which they came; the oldest that is pending makes room. */
  #place(held: Held, address: string): void {
    requireHere(held);
    const { maxConnectionsPerAddress } = this.#limits;
    const others = this.#byAddress.get(address) ?? new Set();
    while (others.size >= maxConnectionsPerAddress) {
      const isPending = (other: Held) => this.#silent.has(other) || this.#speaking.has(other);
      const oldest = others.values().find((other) => this.#silent.has(other)) ?? others.values().find(isPending);
      if (!oldest) {
        const most = `at most ${maxConnectionsPerAddress} at once`;
        throw new Refused('address', '53300', `too many connections from this address: ${most}`);
      }
      this.#evict(oldest);
    }
    held.address = address;
    this.#byAddress.set(address, others.add(held));
  }

  #leave(held: Held): void {
    held.hasLeft = true;
    this.#leavePending(held);
    this.#leaveAddress(held);
    if (held.clientId !== undefined) this.#release(held.clientId);
    delete held.clientId;
  }

  #leavePending(held: Held): void {
    this.#silent.delete(held);
    this.#speaking.delete(held);
  }

  #leaveAddress(held: Held): void {
    if (held.address === undefined) return;
    const others = this.#byAddress.get(held.address);
    if (others?.delete(held) && others.size === 0) this.#byAddress.delete(held.address);
    delete held.address;
  }

  #oldestPending(): Held | undefined {
    const [oldest] = this.#silent.size > 0 ? this.#silent : this.#speaking;
    return oldest;
  }

  #evict(held: Held | undefined): void {
    if (!held) return;
    this.#evictedCount += 1;
    held.isEvicted = true;
    this.#leave(held);
    held.evict();
  }

  #admit(clientId: string): void {
    const { maxSessions, maxSessionsPerClient } = this.#limits;
    const own = this.#sessions.get(clientId) ?? 0;
    if (own >= maxSessionsPerClient) {
      const most = `at most ${maxSessionsPerClient} at once`;
      throw new Refused('client', '53300', `too many connections of this client: ${most}`);
    }
    if (this.#sessionCount >= maxSessions) {
      throw new Refused('sessions', '53300', `too many connections: at most ${maxSessions} at once`);
    }
    this.#sessions.set(clientId, own + 1);
    this.#sessionCount += 1;
  }

  #release(clientId: string): void {
    const left = (this.#sessions.get(clientId) ?? 1) - 1;
    if (left === 0) this.#sessions.delete(clientId);
    else this.#sessions.set(clientId, left);
    this.#sessionCount -= 1;
  }
}

/** Nobody would ever give back a place that is taken later. */
function requireHere({ hasLeft }: Held): void {
  if (hasLeft) throw new Refused('gone', '08006', 'the client went away');
}
