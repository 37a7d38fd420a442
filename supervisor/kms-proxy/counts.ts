/** What the KMS proxy counts: requests by action and by what became of them. */
import type { MetricSample } from '../../wire/metrics.ts';
import { sample } from '../../wire/metrics.ts';

/** `answered` by KMS; `refused` by KMS, in its words, or by the proxy's rules; `failed`: KMS or something on the way to it. */
export type Outcome = 'answered' | 'refused-by-kms' | 'refused' | 'failed';

/** `GenerateDataKey` as a label: `generate-data-key`. */
function labelOf(action: string): string {
  return action.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase();
}

export class Counts {
  readonly #requests = new Map<string, Map<Outcome, number>>();

  /** @param action of the list; undefined for what names none */
  count(action: string | undefined, outcome: Outcome): void {
    const label = action === undefined ? 'unknown' : labelOf(action);
    const outcomes = this.#requests.get(label) ?? new Map<Outcome, number>();
    this.#requests.set(label, outcomes);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }

  get samples(): readonly MetricSample[] {
    return [...this.#requests].flatMap(([action, outcomes]) =>
      [...outcomes].map(([outcome, count]) => sample('kms_proxy_requests_total', { action, outcome }, count)),
    );
  }
}
