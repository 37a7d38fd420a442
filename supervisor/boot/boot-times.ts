/** How long each phase of the boot took, for whoever waits for it: by the monotonic clock, since a phase sets the other one. */
import type { Clock } from '../../runtime/clock.ts';
import type { BootPhase, EnclaveStatus } from '../../wire/control/messages.ts';

interface Timed {
  readonly phase: string;
  readonly startedMs: number;
  endedMs: number | undefined;
}

export class BootTimes {
  readonly #clock: Clock;
  readonly #phases: Timed[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** To be told every status. @returns whether a phase has begun or ended by it */
  follow({ state, phase }: Pick<EnclaveStatus, 'state' | 'phase'>): boolean {
    const nowMs = this.#clock.monotonicMs();
    const last = this.#phases.at(-1);
    const isRunning = last?.endedMs === undefined;
    if (state === 'booting' ? phase === last?.phase : !isRunning) return false;
    if (last !== undefined) last.endedMs ??= nowMs;
    if (state === 'booting') this.#phases.push({ phase, startedMs: nowMs, endedMs: undefined });
    return true;
  }

  get phases(): BootPhase[] {
    return this.#phases.map(({ phase, startedMs, endedMs }) => ({
      phase,
      durationMs: endedMs === undefined ? null : Math.round(endedMs - startedMs),
    }));
  }
}
