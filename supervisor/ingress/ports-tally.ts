/** What the ports of an application count, as metrics. Counters go on when another program is launched in the place of one that ended. */
import { ATTESTATION_OUTCOMES, byOutcome } from '../../sessions/front/attestation/outcomes.ts';
import { byReason, REFUSAL_REASONS } from '../../sessions/front/refused.ts';
import type { PortCounts, PortsCounts } from '../../sessions/ports/messages.ts';
import { type MetricSample, sample } from '../../wire/metrics.ts';

type Told = Omit<PortsCounts, 'type'>;

const NO_ATTESTATIONS = byOutcome(() => 0);
const NOTHING: PortCounts = { open: 0, pending: 0, evicted: 0, refused: byReason(() => 0) };

export class PortsTally {
  readonly #names: readonly string[];
  /** Of all programs before this one: what only grows. */
  #before: Told = { ports: {}, attesting: 0, attestations: NO_ATTESTATIONS };
  #told: Told = this.#before;

  constructor(names: readonly string[]) {
    this.#names = names;
  }

  take(counts: PortsCounts): void {
    this.#told = counts;
  }

  /** Another program counts from the start. */
  launched(): void {
    const grown = this.#names.map((name) => [name, { ...this.#of(name), open: 0, pending: 0 }] as const);
    this.#before = { ports: Object.fromEntries(grown), attesting: 0, attestations: this.#attestations };
    this.#told = { ports: {}, attesting: 0, attestations: NO_ATTESTATIONS };
  }

  get samples(): readonly MetricSample[] {
    return [
      ...this.#names.flatMap((port) => samplesOf(port, this.#of(port))),
      sample('front_attestation_connections', {}, this.#told.attesting),
      ...ATTESTATION_OUTCOMES.map((outcome) =>
        sample('front_attestations_total', { outcome }, this.#attestations[outcome]),
      ),
    ];
  }

  #of(name: string): PortCounts {
    const [before = NOTHING, told = NOTHING] = [this.#before.ports[name], this.#told.ports[name]];
    return {
      open: told.open,
      pending: told.pending,
      evicted: before.evicted + told.evicted,
      refused: byReason((reason) => before.refused[reason] + told.refused[reason]),
    };
  }

  get #attestations() {
    return byOutcome((outcome) => this.#before.attestations[outcome] + this.#told.attestations[outcome]);
  }
}

function samplesOf(port: string, { open, pending, evicted, refused }: PortCounts): readonly MetricSample[] {
  return [
    sample('port_connections', { port }, open),
    sample('port_pending_connections', { port }, pending),
    sample('port_evicted_total', { port }, evicted),
    ...REFUSAL_REASONS.filter((reason) => refused[reason] > 0).map((reason) =>
      sample('port_refused_total', { port, reason }, refused[reason]),
    ),
  ];
}
