/**
 * Room for connections. One that has shown no certificate yet has no right to stay: when too many of these wait, one goes of the address
 * that has most of them waiting, the newcomer with them, the oldest that has said nothing, else its oldest; where one address has too many
 * connections, one of its own. Addresses that came for nothing before (CameForNothing) make room before all others. A session has its
 * place until it ends, and takes none from another identity; one that rests, where its program says so, makes room for another session.
 *
 *   unknown ──address──▶ silent ──first byte──▶ speaking ──certificate──▶ session
 *                           └────────────────────────┴── evicted when another comes and all places are taken
 *
 * Nobody goes for one that is still unknown: of a thousand that come at once, those of one address find out that they are too many when
 * their turn comes. Whose it is stands in front of a connection's bytes, so that it is known as soon as it is read.
 */
import { OldestFirst } from '../../runtime/oldest-first.ts';
import { CameForNothing } from './came-for-nothing.ts';
import type { FrontLimits } from './limits.ts';
import { Refused } from './refused.ts';

/**
 * Accepted and not read yet, at most: a listener takes all that its queue holds (511) before it reads any of them, and an honest one among
 * these is not to go for those behind it. In front of here stand places for more (SPARE_PLACES, supervisor/routes.ts).
 */
const MAX_UNKNOWN = 1_024;

/** One connection. */
export interface Place {
  /** It was ended to make room. */
  readonly isEvicted: boolean;
  /** From where it comes, as limits by address count (wire/networks.ts), where that is known. @throws Refused 53300; 08006 after it has left */
  comesFrom(address: string | undefined): void;
  /** It has said something. */
  speaks(): void;
  /** It has shown whose it is. @throws Refused 53300; 08006 after it has left */
  admit(clientId: string): void;
  /** A session that is owed nothing now: it can come again. */
  rests(): void;
  /** It does not rest any more. */
  works(): void;
  /** It got what it came for, which takes no certificate: it did not come for nothing. */
  serve(): void;
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
  isServed: boolean;
  address?: string;
  clientId?: string;
}

export class Places {
  readonly #limits: PlaceLimits;
  readonly #unknown = new Set<Held>();
  readonly #silent = new OldestFirst<Held>();
  readonly #speaking = new OldestFirst<Held>();
  /** Both together. */
  readonly #waiting = new OldestFirst<Held>();
  /** Those of them that are of an address of which somebody came for nothing. */
  readonly #suspects = new OldestFirst<Held>();
  readonly #resting = new OldestFirst<Held>();
  readonly #cameForNothing = new CameForNothing();
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
    return this.#unknown.size + this.#waiting.size;
  }

  /** Since the start. */
  get evictedCount(): number {
    return this.#evictedCount;
  }

  /** @param evict ends the connection */
  enter(evict: () => void): Place {
    if (this.#unknown.size >= MAX_UNKNOWN) this.#evict(first(this.#unknown));
    const held: Held = { evict, isEvicted: false, hasLeft: false, isServed: false };
    this.#unknown.add(held);
    return {
      get isEvicted() {
        return held.isEvicted;
      },
      comesFrom: (address) => this.#place(held, address),
      speaks: () => {
        if (this.#silent.delete(held)) this.#speaking.add(held, held.address);
      },
      admit: (clientId) => {
        requireHere(held);
        this.#leavePending(held);
        held.isServed = true;
        this.#clear(held.address);
        this.#admit(clientId, held.address);
        held.clientId = clientId;
      },
      rests: () => {
        if (held.clientId !== undefined) this.#resting.add(held, held.address);
      },
      works: () => void this.#resting.delete(held),
      serve: () => {
        held.isServed = true;
      },
      leave: () => this.#leave(held),
    };
  }

  #place(held: Held, address: string | undefined): void {
    requireHere(held);
    if (address !== undefined) this.#makeRoomAt(address);
    const isSuspect = this.#cameForNothing.has(address);
    if (this.#waiting.size >= this.#limits.maxPending) this.#makeRoom(address, isSuspect);
    this.#unknown.delete(held);
    this.#silent.add(held, address);
    this.#waiting.add(held, address);
    if (isSuspect) this.#suspects.add(held, address);
    if (address === undefined) return;
    held.address = address;
    this.#byAddress.set(address, (this.#byAddress.get(address) ?? new Set()).add(held));
  }

  #makeRoom(address: string | undefined, isSuspect: boolean): void {
    const { busiest } = this.#suspects;
    const suspect = busiest && isSuspect ? this.#suspects.busiestWith(address) : busiest?.whose;
    this.#evict(this.#oldestAt(suspect ?? this.#waiting.busiestWith(address)));
  }

  /** @throws Refused 53300 when all of that address are sessions */
  #makeRoomAt(address: string): void {
    const { maxConnectionsPerAddress } = this.#limits;
    while ((this.#byAddress.get(address)?.size ?? 0) >= maxConnectionsPerAddress) {
      const oldest = this.#oldestAt(address) ?? this.#resting.oldestOf(address);
      if (!oldest) {
        const most = `at most ${maxConnectionsPerAddress} at once`;
        throw new Refused('address', '53300', `too many connections from this address: ${most}`);
      }
      this.#evict(oldest);
    }
  }

  /** The one of that address that has waited longest, who has said nothing first. */
  #oldestAt(address: string | undefined): Held | undefined {
    return this.#silent.oldestOf(address) ?? this.#speaking.oldestOf(address);
  }

  #leave(held: Held): void {
    if (!held.hasLeft && !held.isServed) this.#suspect(held.address);
    held.hasLeft = true;
    this.#leavePending(held);
    this.#resting.delete(held);
    this.#leaveAddress(held);
    if (held.clientId !== undefined) this.#release(held.clientId);
    delete held.clientId;
  }

  #suspect(address: string | undefined): void {
    if (address === undefined) return;
    this.#cameForNothing.note(address);
    for (const other of this.#byAddress.get(address) ?? [])
      if (this.#waiting.has(other)) this.#suspects.add(other, address);
  }

  #clear(address: string | undefined): void {
    if (address === undefined || !this.#cameForNothing.forget(address)) return;
    for (const other of this.#byAddress.get(address) ?? []) this.#suspects.delete(other);
  }

  #leavePending(held: Held): void {
    for (const stage of [this.#unknown, this.#silent, this.#speaking, this.#waiting, this.#suspects])
      stage.delete(held);
  }

  #leaveAddress(held: Held): void {
    if (held.address === undefined) return;
    const others = this.#byAddress.get(held.address);
    if (others?.delete(held) && others.size === 0) this.#byAddress.delete(held.address);
    delete held.address;
  }

  #evict(held: Held | undefined): void {
    if (!held) return;
    this.#evictedCount += 1;
    held.isEvicted = true;
    this.#leave(held);
    held.evict();
  }

  #admit(clientId: string, address: string | undefined): void {
    const { maxSessions, maxSessionsPerClient } = this.#limits;
    const own = this.#sessions.get(clientId) ?? 0;
    if (own >= maxSessionsPerClient) {
      const most = `at most ${maxSessionsPerClient} at once`;
      throw new Refused('client', '53300', `too many connections of this client: ${most}`);
    }
    if (this.#sessionCount >= maxSessions) this.#evict(this.#resting.oldestOf(this.#resting.busiestWith(address)));
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

function first<T>([one]: ReadonlySet<T>): T | undefined {
  return one;
}

/** Nobody would ever give back a place that is taken later. */
function requireHere({ hasLeft }: Held): void {
  if (hasLeft) throw new Refused('gone', '08006', 'the client went away');
}
