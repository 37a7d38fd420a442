/** The one place that knows how the enclave is; everybody who wants to know subscribes. */

import type { Clock } from '../runtime/clock.ts';
import type { EnclaveState, EnclaveStatus } from '../wire/control/messages.ts';
import { mayFollow } from '../wire/control/messages.ts';

export interface StatusChange {
  readonly state?: EnclaveState;
  readonly phase?: string;
  readonly detail?: string | null;
  readonly errorCode?: string | null;
}

const MAX_DETAIL_CHARACTERS = 4000;

export class StatusBoard {
  readonly #clock: Clock;
  #status: EnclaveStatus;
  #subscribers: ((status: EnclaveStatus) => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#status = { state: 'booting', phase: 'start', detail: null, errorCode: null, sinceMs: clock.nowMs() };
  }

  get current(): EnclaveStatus {
    return this.#status;
  }

  /**
   * What is not named stays, except that a new state or phase clears detail and error unless they are given too. A change to a state
   * that may not follow is left out whole: what is told late by one part must not hide that another has failed.
   */
  set(change: StatusChange): void {
    const { state } = this.#status;
    if (!mayFollow(state, change.state ?? state)) return;
    const moved = change.state !== undefined || change.phase !== undefined;
    const base = moved ? { ...this.#status, detail: null, errorCode: null } : this.#status;
    const next = { ...base, ...change, sinceMs: this.#clock.nowMs() };
    this.#status = { ...next, detail: next.detail?.slice(0, MAX_DETAIL_CHARACTERS) ?? null };
    for (const notify of this.#subscribers) notify(this.#status);
  }

  subscribe(notify: (status: EnclaveStatus) => void): void {
    this.#subscribers = [...this.#subscribers, notify];
  }
}
