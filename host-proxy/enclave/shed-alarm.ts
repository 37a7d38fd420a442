/**
 * Tells that the public ports shed connections: for a limit, or silent ones to make room (docs/specs/relay.md). Sessions of clients
 * that speak go on meanwhile, so that the parent stays ready: taking it out of a load balancer is what an attacker would want.
 * An operator has to know all the same: one record when it begins and one when it is over, `/status`, and two metrics.
 */
import type { RouteCounters } from '../../relay/counters.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/log.ts';
import type { SheddingStatus } from '../operator/host-status.ts';

/** So long nothing is shed before it counts as over: a flood comes in waves. */
export const SHEDDING_OVER_MS = 10_000;

export interface ShedAlarmDeps {
  /** Of each public route that is open; they begin anew when a route is opened again. */
  readonly counters: () => Readonly<Record<string, Pick<RouteCounters, 'shed' | 'shedSilent'>>>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onChange: () => void;
}

interface Episode {
  readonly sinceMs: number;
  readonly startedMs: number;
  readonly totalBefore: number;
  lastShedMs: number;
}

export class ShedAlarm {
  readonly #deps: ShedAlarmDeps;
  readonly #seen = new Map<string, number>();
  #total = 0;
  #episode: Episode | undefined;

  constructor(deps: ShedAlarmDeps) {
    this.#deps = deps;
  }

  /** To be called about every second. */
  look(): void {
    const shed = this.#newlyShed();
    const nowMs = this.#deps.clock.monotonicMs();
    const totalBefore = this.#total;
    this.#total += shed;
    if (shed > 0 && this.#episode === undefined) this.#begin(nowMs, totalBefore, shed);
    else if (shed > 0 && this.#episode !== undefined) this.#episode.lastShedMs = nowMs;
    else if (this.#episode !== undefined && nowMs - this.#episode.lastShedMs >= SHEDDING_OVER_MS) {
      this.#end(this.#episode);
    }
  }

  get status(): SheddingStatus {
    return { active: this.#episode !== undefined, sinceMs: this.#episode?.sinceMs ?? null, total: this.#total };
  }

  #newlyShed(): number {
    let sum = 0;
    for (const [label, { shed, shedSilent }] of Object.entries(this.#deps.counters())) {
      const now = shed + shedSilent;
      const before = this.#seen.get(label) ?? 0;
      sum += now >= before ? now - before : now;
      this.#seen.set(label, now);
    }
    return sum;
  }

  #begin(nowMs: number, totalBefore: number, shed: number): void {
    const { clock, logger, onChange } = this.#deps;
    this.#episode = { sinceMs: clock.nowMs(), startedMs: nowMs, totalBefore, lastShedMs: nowMs };
    logger.log('warn', 'ingress.shedding', { stage: 'began', shed });
    onChange();
  }

  #end({ startedMs, totalBefore, lastShedMs }: Episode): void {
    const { logger, onChange } = this.#deps;
    this.#episode = undefined;
    const shed = this.#total - totalBefore;
    logger.log('info', 'ingress.shedding', { stage: 'over', shed, durationMs: lastShedMs - startedMs });
    onChange();
  }
}
