/** What the front counts, as metrics. Counters go on when another front is launched in the place of one that ended; sessions do not. */
import {
  ATTESTATION_OUTCOMES,
  type AttestationOutcome,
  byOutcome,
} from '../../../sessions/front/attestation/outcomes.ts';
import { byReason, REFUSAL_REASONS, type RefusalReason } from '../../../sessions/front/refused.ts';
import type { FrontCounts } from '../../../sessions/messages.ts';
import type { MetricSample } from '../../../wire/metrics.ts';
import { sample } from '../../../wire/metrics.ts';

type Told = Omit<FrontCounts, 'type'>;

const NOTHING: Told = {
  open: 0,
  pending: 0,
  evicted: 0,
  refused: byReason(() => 0),
  attesting: 0,
  attestations: byOutcome(() => 0),
};

export class FrontTally {
  /** Of all fronts before this one. */
  #before = NOTHING;
  #told = NOTHING;

  take(counts: FrontCounts): void {
    this.#told = counts;
  }

  /** Another front counts from the start. */
  launched(): void {
    this.#before = { ...NOTHING, evicted: this.#evicted, refused: this.#refused, attestations: this.#attestations };
    this.#told = NOTHING;
  }

  get samples(): readonly MetricSample[] {
    const { open, pending, attesting } = this.#told;
    return [
      sample('front_sessions', {}, open),
      sample('front_pending_connections', {}, pending),
      sample('front_evicted_total', {}, this.#evicted),
      ...REFUSAL_REASONS.map((reason) => sample('front_refused_total', { reason }, this.#refused[reason])),
      sample('front_attestation_connections', {}, attesting),
      ...ATTESTATION_OUTCOMES.map((outcome) =>
        sample('front_attestations_total', { outcome }, this.#attestations[outcome]),
      ),
    ];
  }

  get #evicted(): number {
    return this.#before.evicted + this.#told.evicted;
  }

  get #refused(): Readonly<Record<RefusalReason, number>> {
    return byReason((reason) => this.#before.refused[reason] + this.#told.refused[reason]);
  }

  get #attestations(): Readonly<Record<AttestationOutcome, number>> {
    return byOutcome((outcome) => this.#before.attestations[outcome] + this.#told.attestations[outcome]);
  }
}
