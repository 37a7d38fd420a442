/**
 * Room for connections. One that has shown no certificate yet has no right to stay: when too many of these wait, the oldest goes that
 * has said nothing, else the oldest. A session has its place until it ends, and takes none from another identity.
 *
 *   silent ──first byte──▶ speaking ──certificate──▶ session
 *      └────────────────────────┴── evicted when another comes and all places are taken
 */
import { SessionError } from '../../postgres/session-error.ts';
import type { FrontLimits } from './limits.ts';

/** One connection. */
export interface Place {
  /** It has said something. */
  speaks(): void;
  /** It has shown whose it is. @throws SessionError 53300; 08006 after it has left */
  admit(clientId: string): void;
  /** Idempotent. */
  leave(): void;
}

type PlaceLimits = Pick<FrontLimits, 'maxPending' | 'maxSessions' | 'maxSessionsPerClient'>;

export class Places {
  readonly #limits: PlaceLimits;
  readonly #silent = new Set<() => void>();
  readonly #speaking = new Set<() => void>();
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
    if (this.pendingCount >= this.#limits.maxPending) this.#evictOne();
    this.#silent.add(evict);
    let clientOf: string | undefined;
    let hasLeft = false;
    return {
      speaks: () => {
        if (this.#silent.delete(evict)) this.#speaking.add(evict);
      },
      admit: (clientId) => {
        // Nobody would ever give the place back.
        if (hasLeft) throw new SessionError('08006', 'the client went away');
        this.#leavePending(evict);
        this.#admit(clientId);
        clientOf = clientId;
      },
      leave: () => {
        hasLeft = true;
        this.#leavePending(evict);
        if (clientOf !== undefined) this.#release(clientOf);
        clientOf = undefined;
      },
    };
  }

  #leavePending(evict: () => void): void {
    this.#silent.delete(evict);
    this.#speaking.delete(evict);
  }

  #evictOne(): void {
    const [oldest] = this.#silent.size > 0 ? this.#silent : this.#speaking;
    if (!oldest) return;
    this.#evictedCount += 1;
    this.#leavePending(oldest);
    oldest();
  }

  #admit(clientId: string): void {
    const { maxSessions, maxSessionsPerClient } = this.#limits;
    const own = this.#sessions.get(clientId) ?? 0;
    if (own >= maxSessionsPerClient) {
      throw new SessionError('53300', `too many connections of this client: at most ${maxSessionsPerClient} at once`);
    }
    if (this.#sessionCount >= maxSessions) {
      throw new SessionError('53300', `too many connections: at most ${maxSessions} at once`);
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
